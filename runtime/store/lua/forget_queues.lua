-- forget_queues: remove empty queues that no function names.
--
-- ARGV     functions, named...
--          functions is how many were published when the names in `named` were read
-- RETURNS  {queues that were removed…}
-- MOST     1,000 queues: 4 steps each
-- WHY ONE SCRIPT  an invocation may join a queue at the same time; it then finds its queue listed,
--                 or lists it again.
-- A paused queue is kept: an operator paused it.
local MOST_QUEUES = 1000
if redis.call('HLEN', key_functions()) ~= tonumber(functions) then
  return {}
end
local is_named, forgotten = {}, {}
for at = rest, #ARGV do
  is_named[ARGV[at]] = true
end
for at, queue in ipairs(redis.call('SMEMBERS', key_queues())) do
  if at > MOST_QUEUES then
    break
  end
  if not is_named[queue] then
    local f = redis.call('HMGET', key_queue(queue), 'paused', 'waiting', 'running')
    local is_left = redis.call('EXISTS', key_ring(queue), key_held(queue), key_due(queue),
      key_old_ring(queue)) > 0
    if f[1] ~= '1' and (tonumber(f[2] or '0') or 0) <= 0 and (tonumber(f[3] or '0') or 0) <= 0
      and not is_left then
      redis.call('SREM', key_queues(), queue)
      redis.call('DEL', key_queue(queue), key_wake(queue))
      forgotten[#forgotten + 1] = queue
    end
  end
end
return forgotten
