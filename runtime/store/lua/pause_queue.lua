-- pause_queue: let nothing of a queue start, or let it go on.
--
-- ARGV     queue, paused
-- RETURNS  OK | MISSING
-- MOST     5 steps
-- WHY ONE SCRIPT  a resumed queue must wake a worker, or what waits there would wait on.
-- include: clock
-- include: lanes
if redis.call('SISMEMBER', key_queues(), queue) == 0 then
  return 'MISSING'
end
redis.call('HSET', key_queue(queue), 'paused', paused)
if paused == '0' then
  wake(queue)
end
return 'OK'
