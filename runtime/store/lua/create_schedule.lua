-- create_schedule: create a schedule that was requested through the API.
--
-- ARGV     id, fields...
--          fields are pairs: function, arguments, cron, timezone, paused, overlap, catch_up
-- RETURNS  created_at
-- MOST     12 steps
-- WHY ONE SCRIPT  a listed schedule must be ticked, and the woken ticker must find it.
-- include: clock
-- include: schedules
local now = now_ms()
local key = key_schedule(id)
local created = redis.call('HGET', key, 'created_at')
-- The request was repeated after a lost reply.
if created then
  return tonumber(created)
end
redis.call('HSET', key, 'source', 'api', 'created_at', now,
  unpack(ARGV, rest))  -- at most 40
redis.call('ZADD', key_schedules(), 0, id)
begin_anew(id, now)
return now
