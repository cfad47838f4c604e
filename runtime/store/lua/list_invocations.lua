-- list_invocations: one page of ids, newest first. Its cost grows neither with queues nor with
-- history.
--
-- ARGV     function_name, statuses, tag, tag_json, after, most, since
--          statuses are separated by blanks; '' means any, for every argument; tag_json is the tag
--          as records store it; after is the last id of the page before, or an id that all ids of
--          the page must be less than; no id is less than since
-- RETURNS  {next id or '', {id, record as `summarize_record` returns it}…}
-- MOST     1,000 ids looked at of 8 indexes; 25 steps each that is listed, at most 250
-- WHY ONE SCRIPT  ids move between the indexes while they are read.
-- include: record_summary
-- Every id is in the index of its status (see `index` in redis_keys.py), over all functions and of
-- its function. All indexes are in the order of ids, so a page over several is their merge, and one
-- id says where the next page begins. At most 1,000 ids are looked at: a page may be short and
-- still have a next.
local LOOKS, STEP = 1000, 100
local want, oldest = tonumber(most), since == '' and '-' or '[' .. since
local of_function = function_name == '' and '' or ':' .. function_name
local is_wanted, is_any = {}, statuses == ''
for status in string.gmatch(statuses, '%a+') do
  is_wanted[status] = true
end

-- Sources are index keys. If of the live invocations only running ones are wanted, the leased ids
-- are used instead, unless the index is shorter: few run, however many wait.
local sources, running, top = {}, {}, 0
local function add_source(name, ...)
  for _, status in ipairs({ ... }) do
    if is_any or is_wanted[status] then
      sources[#sources + 1] = key_index(name)
      return
    end
  end
end

local live = key_index('live' .. of_function)
if is_wanted.running and not is_wanted.queued
  and redis.call('ZCARD', key_leases()) < redis.call('ZCARD', live) then
  running = redis.call('ZRANGE', key_leases(), 0, -1)
  table.sort(running)
  top = #running
else
  add_source('live' .. of_function, 'queued', 'running')
end
for _, status in ipairs({ 'scheduled', 'retrying' }) do
  add_source(status .. of_function, status)
end
for _, status in ipairs({ 'succeeded', 'failed', 'cancelled', 'expired' }) do
  add_source('end' .. of_function .. ':' .. status, status)
end
if tag ~= '' then
  local size = top
  for _, source in ipairs(sources) do
    size = size + redis.call('ZCARD', source)
  end
  if redis.call('ZCARD', key_index('tag:' .. tag)) < size then
    sources, top = { key_index('tag:' .. tag) }, 0
  end
end

-- next_below(id): the next ids of all sources, newest first; complete for the first STEP ids.
local function next_below(id)
  local found, from = {}, id == '' and '+' or '(' .. id
  for _, source in ipairs(sources) do
    for _, one in ipairs(redis.call('ZREVRANGEBYLEX', source, from, oldest, 'LIMIT', 0, STEP)) do
      found[#found + 1] = one
    end
  end
  while top > 0 and id ~= '' and running[top] >= id do
    top = top - 1
  end
  for at = top, math.max(1, top - STEP + 1), -1 do
    if running[at] >= since then
      found[#found + 1] = running[at]
    end
  end
  if top > 0 or #sources > 1 then
    table.sort(found, function(one, other) return one > other end)
  end
  return found
end

local reply = { '' }
local last, looks = after, 0
repeat
  local ids = next_below(last)
  for at = 1, math.min(#ids, STEP) do
    local id = ids[at]
    if id ~= last then
      last, looks = id, looks + 1
      local f = redis.call('HMGET', key_record(id), 'function', 'status', 'tags')
      if f[1] and (function_name == '' or f[1] == function_name)
        and (is_any or is_wanted[f[2]])
        and (tag == '' or (f[3] and string.find(f[3], tag_json, 1, true))) then
        reply[#reply + 1] = { id, summarize_record(id) }
      end
      if #reply > want or looks == LOOKS then
        reply[1] = id
        return reply
      end
    end
  end
until #ids == 0
return reply
