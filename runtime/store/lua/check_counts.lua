-- check_counts: whether what is counted of functions and of a queue is what there is.
--
-- ARGV     repair, queue, size, names_and_leases...
--          of functions: queue '', their names, at most 200, size says how many; of a queue: its
--          name, size 0. Then pairs for leases that were looked up before: id, and its function
--          behind + if it is of the queue, behind - if not. That never changes of an id
-- RETURNS  {how many counts were compared, {findings…}}, see include/findings.lua
-- MOST     10,000 leases of which 500 are not known, 5,000 functions in turn, 1,000 lanes: 4,000 steps
-- WHY ONE SCRIPT  as check_invocations. Where there is more, counts are not compared.
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

-- running: by function how many run; of the queue: how many of the leases are of it.
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

-- waiting_of(name): what has not ended and does not run.
local function waiting_of(name)
  return math.max(0, redis.call('ZCARD', key_index('live:' .. name)) - (running[name] or 0))
end

if queue == '' then
  for _, name in ipairs(names) do
    compare(key_waiting(), name, 'waiting of function ' .. name, waiting_of(name))
  end
  return { #names, findings }
end

-- names_in(one): the functions that have work in a queue; nil if they are too many.
local function names_in(one)
  local found_names = redis.call('ZRANGE', key_ring(one), 0, MOST_NAMES)
  for _, name in ipairs(redis.call('ZRANGE', key_held(one), 0, MOST_NAMES)) do
    if not redis.call('ZSCORE', key_ring(one), name) then
      found_names[#found_names + 1] = name
    end
  end
  return found_names
end

-- waiting_here(): what waits in the queue: of a function that waits in no other all of its; of
-- others what is in their lanes. nil if that is too much.
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
