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

local function put_in_lane(queue, function_name, key, id, score)
  put_all_in_lane(queue, function_name, key, { score, id })
end

-- take_from_lane(queue, function_name, key, id): out of turn, for a cancel or an expiry.
local function take_from_lane(queue, function_name, key, id)
  local lane_key = key_lane(queue, function_name, key)
  if redis.call('ZREM', lane_key, id) == 0 then
    return
  end
  redis.call('HINCRBY', key_queue(queue), 'waiting', -1)
  redis.call('HINCRBY', key_waiting(), function_name, -1)
  if redis.call('ZCARD', lane_key) == 0 then
    local keys = key_keys(queue, function_name)
    redis.call('LREM', keys, 0, key)
    if redis.call('LLEN', keys) == 0 then
      redis.call('LREM', key_ring(queue), 0, function_name)
    end
  end
end

-- put_later(queue, id, due_ms): the blocked workers are woken when this is the next to fall due,
-- so that they block no longer than until then.
local function put_later(queue, id, due_ms)
  local due = key_due(queue)
  redis.call('ZADD', due, due_ms, id)
  if redis.call('ZRANGE', due, 0, 0)[1] == id then
    redis.call('SADD', key_queues(), queue)
    wake(queue)
  end
end

-- let_go_on(queue, function_name): a held function may have its turn again.
local function let_go_on(queue, function_name)
  if redis.call('ZREM', key_held(queue), function_name) == 1
    and redis.call('LLEN', key_keys(queue, function_name)) > 0 then
    redis.call('RPUSH', key_ring(queue), function_name)
    wake(queue)
  end
end
