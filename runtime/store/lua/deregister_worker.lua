-- deregister_worker: a worker that has stopped takes its name off the list.
--
-- ARGV     worker
-- RETURNS  OK
-- MOST     5 steps
-- WHY ONE SCRIPT  the publisher's lease is given up only by its holder.
redis.call('DEL', key_worker(worker), key_control(worker))
redis.call('ZREM', key_workers(), worker)
if redis.call('GET', key_publisher()) == worker then
  redis.call('DEL', key_publisher())
end
return 'OK'
