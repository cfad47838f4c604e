-- pause_queue: stop starting a queue's invocations, or resume; claim_invocations obeys it.
--
-- ARGV     queue, paused
-- RETURNS  OK | MISSING
-- MOST     5 steps
-- WHY ONE SCRIPT  resuming must wake a worker, or what waits there would go on waiting.
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
