-- delete_schedule: a schedule ends; what it has invoked goes on.
--
-- ARGV     id
-- RETURNS  DELETED | MISSING | DECLARED
--          DECLARED: it is its function's own, and goes when the function's file says so
-- MOST     8 steps
-- WHY ONE SCRIPT  no ticker may find a moment of a schedule that is gone.
if not redis.call('ZSCORE', key_schedules(), id) then
  return 'MISSING'
end
if redis.call('HGET', key_schedule(id), 'source') == 'decorator' then
  return 'DECLARED'
end
redis.call('ZREM', key_schedules(), id)
redis.call('ZREM', key_schedules_due(), id)
redis.call('DEL', key_schedule(id), key_skips(id))
return 'DELETED'
