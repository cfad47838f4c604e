-- check_counts: whether what is counted of functions and of a queue is what there is.
--
-- ARGV     repair, queue, functions...
--          at most 200 functions, or none and a queue
-- RETURNS  {how many counts were compared, {findings…}}, see include/findings.lua
-- MOST     10,000 leases, 10,000 lanes: 22,000 steps
-- WHY ONE SCRIPT  as check_invocations. With more than 10,000 leases, or 10,000 lanes of functions
--                 that wait in several queues, counts cannot be compared in one step, and are not.
-- include: clock
-- include: findings
local MOST_LEASES, MOST_LANES = 10000, 10000
local running, running_in = {}, 0
if redis.call('ZCARD', key_leases()) > MOST_LEASES then
  return { 0, {} }
end
for _, id in ipairs(redis.call('ZRANGE', key_leases(), 0, -1)) do
  if queue == '' then
    local name = redis.call('HGET', key_record(id), 'function')
    if name then
      running[name] = (running[name] or 0) + 1
    end
  elseif redis.call('HGET', key_record(id), 'queue') == queue then
    running_in = running_in + 1
  end
end

local function compare(key, field, is_of, should)
  local is = tonumber(redis.call('HGET', key, field) or '0') or 0
  if is ~= should and found('wrong_count', is_of, 'counted ' .. is, 'there are ' .. should) then
    redis.call('HSET', key, field, should)
  end
end

if queue == '' then
  for at = rest, #ARGV do
    local name = ARGV[at]
    local waiting = redis.call('ZCARD', key_index('live:' .. name)) - (running[name] or 0)
    compare(key_waiting(), name, 'waiting of function ' .. name, math.max(0, waiting))
  end
  return { #ARGV - rest + 1, findings }
end

-- waiting_in(queue): what waits in its lanes, nil if they are too many.
local function waiting_in()
  local total, lanes = 0, 0
  for _, names in ipairs({ key_ring(queue), key_held(queue) }) do
    for _, name in ipairs(redis.call('ZRANGE', names, 0, MOST_LANES)) do
      local keys = key_keys(queue, name)
      lanes = lanes + redis.call('ZCARD', keys)
      if lanes > MOST_LANES then
        return nil
      end
      for _, key in ipairs(redis.call('ZRANGE', keys, 0, -1)) do
        total = total + redis.call('ZCARD', key_lane(queue, name, key))
      end
    end
  end
  return total
end

compare(key_queue(queue), 'running', 'running in queue ' .. queue, running_in)
local waiting = waiting_in()
if waiting then
  compare(key_queue(queue), 'waiting', 'waiting in queue ' .. queue, waiting)
end
return { waiting and 2 or 1, findings }
