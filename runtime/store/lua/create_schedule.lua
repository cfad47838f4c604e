-- create_schedule: a schedule that somebody asked for by the API.
--
-- ARGV     id, fields...
--          fields are pairs of its hash: function, arguments, cron, timezone, paused, overlap, catch_up
-- RETURNS  created_at
-- MOST     12 steps
-- WHY ONE SCRIPT  one that is listed must be ticked, and the ticker that is woken must find it.
-- include: clock
-- include: schedules
local now = now_ms()
local key = key_schedule(id)
local created = redis.call('HGET', key, 'created_at')
if created then
  return tonumber(created)
end
redis.call('HSET', key, 'source', 'api', 'created_at', now,
  unpack(ARGV, rest))  -- at most 40
redis.call('ZADD', key_schedules(), 0, id)
begin_anew(id, now)
return now
