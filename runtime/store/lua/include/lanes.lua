-- Ways into a lane and out of it besides joining and being claimed.
-- include: joining
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
    redis.call('ZREM', keys, key)
    if redis.call('EXISTS', keys) == 0 then
      redis.call('ZREM', key_ring(queue), function_name)
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
    and redis.call('EXISTS', key_keys(queue, function_name)) == 1 then
    redis.call('ZADD', key_ring(queue), 'NX', next_turn(queue), function_name)
    wake(queue)
  end
end
