-- delete_schedule: delete a schedule; invocations that it has created go on.
--
-- ARGV     id
-- RETURNS  DELETED | MISSING | DECLARED
--          DECLARED: it is its function's own schedule, which only the function's file can remove
-- MOST     8 steps
-- WHY ONE SCRIPT  no ticker may find a due time of a deleted schedule.
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
