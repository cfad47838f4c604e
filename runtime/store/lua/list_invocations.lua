-- list_invocations: one page of ids, newest first, at a cost that history does not raise.
--
-- ARGV     index, after, most, function_name, status, tag, since
--          index is the narrowest index that covers the filters; after is the last id of the page
--          before, '' for the first; no id is less than since, '' is any; the other filters are
--          checked on each record, '' is any
-- RETURNS  {next id or '', {id, record as `brief` gives it}…}
-- WHY ONE SCRIPT  one round trip for a page.
-- include: brief
-- At most 1,000 ids are looked at: a page may be short and still have a next.
local looks, found = 1000, 0
local oldest = since == '' and '-' or '[' .. since
local from = after == '' and '+' or '(' .. after
local reply = { '' }
while looks > 0 and found < tonumber(most) do
  local ids = redis.call('ZREVRANGEBYLEX', key_index(index), from, oldest, 'LIMIT', 0,
    math.min(looks, 100))
  if #ids == 0 then
    reply[1] = ''
    return reply
  end
  for _, id in ipairs(ids) do
    looks = looks - 1
    from = '(' .. id
    reply[1] = id
    local f = redis.call('HMGET', key_record(id), 'function', 'status', 'tags')
    local fits = f[1] and (function_name == '' or f[1] == function_name)
      and (status == '' or f[2] == status)
      and (tag == '' or (f[3] and string.find(f[3], tag, 1, true)))
    if fits then
      found = found + 1
      reply[#reply + 1] = { id, brief(key_record(id)) }
      if found == tonumber(most) then
        return reply
      end
    end
  end
end
return reply
