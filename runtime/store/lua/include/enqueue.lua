-- Waiting. A queue's ring holds every function that has work and may go on, once; a function's
-- keys hold every fairness key that has work, once; both are sorted sets by turn, so that whoever
-- has had one goes to the end, and whoever leaves is found without looking through the others. A
-- lane is a sorted set by urgency.
-- Urgency is (9 - priority) * 2^42 + moment in ms: 2^42 ms is 139 years, so priority wins,
-- then age; ids of one ms follow each other as UUIDv7 order does.
-- include: counting
-- include: wake
local function urgency(priority, at_ms)
  return string.format('%.0f', (9 - priority) * 4398046511104 + at_ms)
end

-- next_turn(queue): the end of the line. A count and not a moment: a clock that is put back must
-- not let newcomers overtake.
local function next_turn(queue)
  return add_to_count(key_queue(queue), 'turns', 1)
end

-- join_turns(queue, function_name, key): a lane has work that had none.
local function join_turns(queue, function_name, key)
  local turn = next_turn(queue)
  redis.call('ZADD', key_keys(queue, function_name), 'NX', turn, key)
  if not redis.call('ZSCORE', key_held(queue), function_name) then
    redis.call('ZADD', key_ring(queue), 'NX', turn, function_name)
  end
end

-- put_all_in_lane(queue, function_name, key, entries): entries are score, id, score, id, … of at
-- most 1,000 that do not wait there already.
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
