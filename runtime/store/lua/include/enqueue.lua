-- Lanes and turns. A queue's ring lists every function that has waiting work and is not throttled;
-- a function's keys list each of its fairness keys that has waiting work. Both are sorted sets
-- scored by turn: after its turn an entry moves to the end, and an entry can be removed without a
-- scan. A lane is a sorted set of waiting ids by urgency.
-- Urgency is (9 - priority) * 2^42 + time in ms. 2^42 ms is 139 years, so priority comes first,
-- then age. Ids of equal urgency sort by id, and UUIDv7 ids sort by creation.
-- include: counting
-- include: wake
local function urgency(priority, at_ms)
  return string.format('%.0f', (9 - priority) * 4398046511104 + at_ms)
end

-- next_turn(queue): a number for the end of the ring. It is a counter, not a time: after a clock
-- was set back, new entries must not overtake.
local function next_turn(queue)
  return add_to_count(key_queue(queue), 'turns', 1)
end

-- join_turns(queue, function_name, key): give turns to a lane that was empty and now has work.
local function join_turns(queue, function_name, key)
  local turn = next_turn(queue)
  redis.call('ZADD', key_keys(queue, function_name), 'NX', turn, key)
  if not redis.call('ZSCORE', key_held(queue), function_name) then
    redis.call('ZADD', key_ring(queue), 'NX', turn, function_name)
  end
end

-- put_all_in_lane(queue, function_name, key, entries): add up to 1,000 invocations that are not yet
-- in the lane. entries are score, id, score, id, …
local function put_all_in_lane(queue, function_name, key, entries)
  local count = #entries / 2
  if add_to_count(key_queue(queue), 'waiting', count) == count then
    redis.call('SADD', key_queues(), queue)
  end
  add_to_count(key_waiting(), function_name, count)
  local lane_key = key_lane(queue, function_name, key)
  local added = redis.call('ZADD', lane_key, unpack(entries))  -- at most 1,000 pairs
  if added == count and redis.call('ZCARD', lane_key) == count then
    join_turns(queue, function_name, key)
  end
  wake(queue)
end
