-- order_workers: give every live worker one order.
--
-- ARGV     order
-- RETURNS  how many workers there are
-- MOST     2 steps a worker
-- WHY ONE SCRIPT  a list without its end would stay for ever.
local workers = redis.call('ZRANGE', key_workers(), 0, -1)
for _, worker in ipairs(workers) do
  local control = key_control(worker)
  redis.call('RPUSH', control, order)
  redis.call('PEXPIRE', control, 60000)
end
return #workers
