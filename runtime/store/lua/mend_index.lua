-- mend_index: drop ids without a record from a part of an index. They are left when records expired
-- while no worker ran delete_expired, or were deleted by hand.
--
-- ARGV     index, after, most
-- RETURNS  {last id looked at or '' at the end, how many were dropped}
-- MOST     6 steps an id, of at most `most`
-- WHY ONE SCRIPT  a record that is missing now may be created before its id is dropped.
-- The indexes `all` and `fn:<function>` of release 0.1 are converted: each id moves to its status's
-- index.
local from = after == '' and '-' or '(' .. after
local ids = redis.call('ZRANGEBYLEX', key_index(index), from, '+', 'LIMIT', 0, most)
local is_old = index == 'all' or string.sub(index, 1, 3) == 'fn:'
local dropped = 0
for _, id in ipairs(ids) do
  local f = redis.call('HMGET', key_record(id), 'function', 'status')
  if not f[1] or not f[2] then
    redis.call('ZREM', key_index(index), id)
    dropped = dropped + 1
  elseif is_old then
    local stands = (f[2] == 'queued' or f[2] == 'running') and 'live' or f[2]
    if stands == 'live' or stands == 'scheduled' or stands == 'retrying' then
      redis.call('ZADD', key_index(stands), 0, id)
      redis.call('ZADD', key_index(stands .. ':' .. f[1]), 0, id)
    end
    redis.call('ZREM', key_index(index), id)
  end
end
return { #ids == tonumber(most) and ids[#ids] or '', dropped }
