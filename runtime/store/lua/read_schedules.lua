-- read_schedules: read one schedule, or a page of all in the order of their ids.
--
-- ARGV     id, after, most
--          id reads only that schedule; '' reads the page after the id `after`, '' for the first
-- RETURNS  {now, next id or '', {id, schedule as HGETALL, {last skips…}}…}
-- MOST     3 steps a schedule
-- WHY ONE SCRIPT  one round trip, and the time from which next due times are computed.
-- include: clock
local reply = { now_ms(), '' }
local ids = { id }
if id == '' then
  local from = after == '' and '-' or '(' .. after
  ids = redis.call('ZRANGEBYLEX', key_schedules(), from, '+', 'LIMIT', 0, most + 1)
  if #ids > tonumber(most) then
    ids[#ids] = nil
    reply[2] = ids[#ids]
  end
end
for _, one in ipairs(ids) do
  if redis.call('ZSCORE', key_schedules(), one) then
    reply[#reply + 1] = { one, redis.call('HGETALL', key_schedule(one)),
      redis.call('LRANGE', key_skips(one), 0, -1) }
  end
end
return reply
