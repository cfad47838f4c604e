-- recount_running: count again what runs in every queue. A lost record was the only place that
-- named the queue it ran in.
--
-- ARGV
-- RETURNS  how many leases were counted; -1 if there are too many
-- MOST     10,000 leases and 1,000 queues: 2 steps each
-- WHY ONE SCRIPT  no attempt may begin or end while it counts.
local MOST_LEASES, MOST_QUEUES = 10000, 1000
local leases = key_leases()
if redis.call('ZCARD', leases) > MOST_LEASES then
  return -1
end
local counts, counted = {}, 0
for _, id in ipairs(redis.call('ZRANGE', leases, 0, MOST_LEASES - 1)) do
  local queue = redis.pcall('HGET', key_record(id), 'queue')
  if type(queue) == 'string' then
    counts[queue] = (counts[queue] or 0) + 1
    counted = counted + 1
  end
end
for at, queue in ipairs(redis.call('SMEMBERS', key_queues())) do
  if at > MOST_QUEUES then
    break
  end
  redis.call('HSET', key_queue(queue), 'running', counts[queue] or 0)
end
redis.call('DEL', key_miscounted())
return counted
