-- appoint_publisher: order a worker to publish its functions folder, whatever is published now.
--
-- ARGV     worker, order, lease_ms
-- RETURNS  OK | MISSING
-- MOST     6 steps
-- WHY ONE SCRIPT  the worker must hold the publisher's lease when it reads the order. With
--                 may_publish 2 it also keeps the lease from workers whose folder is the one to
--                 publish; for as long as a lease its heartbeats leave that 2 as it is, since one
--                 may have been on its way before the order.
-- include: clock
if redis.call('EXISTS', key_worker(worker)) == 0 then
  return 'MISSING'
end
local control = key_control(worker)
redis.call('SET', key_publisher(), worker, 'PX', lease_ms)
redis.call('HSET', key_worker(worker), 'may_publish', 2, 'appointed_until', now_ms() + lease_ms)
redis.call('RPUSH', control, order)
redis.call('PEXPIRE', control, 60000)
return 'OK'
