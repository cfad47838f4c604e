-- check_counts: check what is counted of functions, or of a queue.
--
-- ARGV     repair, queue, size, names_and_leases...
--          for functions: queue '', size, and so many names, at most 200; for a queue: its name and
--          size 0. Then pairs for leases that were looked up before: id, and its function's name
--          after + if it is in this queue, after - if not. This never changes for an id
-- RETURNS  {how many counts were compared, {findings…}}, see include/findings.lua
-- MOST     10,000 leases of which 500 are unknown, 5,000 functions with work, 1,000 lanes: 4,000
--          steps
-- WHY ONE SCRIPT  as check_invocations. Beyond these limits counts are not compared.
-- include: findings
local MOST_LEASES, MOST_UNKNOWN, MOST_NAMES, MOST_LANES = 10000, 500, 5000, 1000
if redis.call('ZCARD', key_leases()) > MOST_LEASES then
  return { 0, {} }
end
local names, known = {}, {}
for i = 1, size do
  names[i] = ARGV[rest + i - 1]
end
for at = rest + size, #ARGV, 2 do
  known[ARGV[at]] = ARGV[at + 1]
end

-- running: how many run, by function. of_queue: how many of the leases are in the queue.
local running, of_queue, counts, unknown = {}, 0, {}, 0
for _, id in ipairs(redis.call('ZRANGE', key_leases(), 0, -1)) do
  local what = known[id]
  if not what then
    unknown = unknown + 1
    if unknown > MOST_UNKNOWN then
      return { 0, {} }
    end
    local f = redis.call('HMGET', key_record(id), 'queue', 'function')
    what = (f[1] == queue and '+' or '-') .. (f[2] or '')
  end
  counts[what] = (counts[what] or 0) + 1
end
for what, count in pairs(counts) do
  local name = string.sub(what, 2)
  running[name] = (running[name] or 0) + count
  if string.sub(what, 1, 1) == '+' then
    of_queue = of_queue + count
  end
end

local function compare(key, field, what, should)
  local is = tonumber(redis.call('HGET', key, field) or '0') or 0
  if is ~= should and found('wrong_count', what, 'counted ' .. is, 'there are ' .. should) then
    redis.call('HSET', key, field, should)
  end
end

-- waiting_of(name): how many invocations of a function are live and not running.
local function waiting_of(name)
  return math.max(0, redis.call('ZCARD', key_index('live:' .. name)) - (running[name] or 0))
end

if queue == '' then
  for _, name in ipairs(names) do
    compare(key_waiting(), name, 'waiting of function ' .. name, waiting_of(name))
  end
  return { #names, findings }
end

-- names_in(one): the functions with work in a queue; more than MOST_NAMES if there are too many.
local function names_in(one)
  local found_names = redis.call('ZRANGE', key_ring(one), 0, MOST_NAMES)
  for _, name in ipairs(redis.call('ZRANGE', key_held(one), 0, MOST_NAMES)) do
    if not redis.call('ZSCORE', key_ring(one), name) then
      found_names[#found_names + 1] = name
    end
  end
  return found_names
end

-- waiting_here(): how many wait in the queue: of a function with work in no other queue all that
-- wait, of others those in their lanes here. nil if there are too many to count.
local function waiting_here()
  local here, elsewhere, seen = names_in(queue), {}, 0
  for _, other in ipairs(redis.call('SMEMBERS', key_queues())) do
    local others = other ~= queue and names_in(other) or {}
    seen = seen + #others
    if seen + #here > MOST_NAMES then
      return nil
    end
    for _, name in ipairs(others) do
      elsewhere[name] = true
    end
  end
  local total, lanes = 0, 0
  for _, name in ipairs(here) do
    if elsewhere[name] then
      local keys = redis.call('ZRANGE', key_keys(queue, name), 0, MOST_LANES)
      lanes = lanes + #keys
      if lanes > MOST_LANES then
        return nil
      end
      for _, key in ipairs(keys) do
        total = total + redis.call('ZCARD', key_lane(queue, name, key))
      end
    else
      total = total + waiting_of(name)
    end
  end
  return total
end

compare(key_queue(queue), 'running', 'running in queue ' .. queue, of_queue)
local waiting = waiting_here()
if waiting then
  compare(key_queue(queue), 'waiting', 'waiting in queue ' .. queue, waiting)
end
return { waiting and 2 or 1, findings }
