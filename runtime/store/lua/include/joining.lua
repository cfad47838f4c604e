-- Waiting. A queue's ring holds every function that has work and may go on, once; a function's
-- keys hold every fairness key that has work, once; a lane is a sorted set by urgency.
-- Urgency is (9 - priority) * 2^42 + moment in ms: 2^42 ms is 139 years, so priority wins,
-- then age; ids of one ms follow each other as UUIDv7 order does.
-- include: wake
local function urgency(priority, at_ms)
  return string.format('%.0f', (9 - priority) * 4398046511104 + at_ms)
end

-- put_all_in_lane(queue, function_name, key, entries): entries are score, id, score, id, …, of
-- none that waits there already.
local function put_all_in_lane(queue, function_name, key, entries)
  local count = #entries / 2
  if redis.call('HINCRBY', key_queue(queue), 'waiting', count) == count then
    redis.call('SADD', key_queues(), queue)
  end
  redis.call('HINCRBY', key_waiting(), function_name, count)
  local lane_key = key_lane(queue, function_name, key)
  if redis.call('ZADD', lane_key, unpack(entries)) == count
    and redis.call('ZCARD', lane_key) == count then
    local keys = key_keys(queue, function_name)
    if redis.call('RPUSH', keys, key) == 1
      and not redis.call('ZSCORE', key_held(queue), function_name) then
      redis.call('RPUSH', key_ring(queue), function_name)
    end
  end
  wake(queue)
end
