-- deregister_worker: remove a worker that has stopped.
--
-- ARGV     worker
-- RETURNS  OK
-- MOST     5 steps
-- WHY ONE SCRIPT  the publisher's lease may only be released by its holder.
redis.call('DEL', key_worker(worker), key_control(worker))
redis.call('ZREM', key_workers(), worker)
if redis.call('GET', key_publisher()) == worker then
  redis.call('DEL', key_publisher())
end
return 'OK'
