-- Put invocations into lanes and sets of due times, and take them out other than by a claim.
-- include: counting
-- include: enqueue
local function put_in_lane(queue, function_name, key, id, score)
  put_all_in_lane(queue, function_name, key, { score, id })
end

-- take_from_lane(queue, function_name, key, id): remove an invocation for a cancel or an expiry.
local function take_from_lane(queue, function_name, key, id)
  local lane_key = key_lane(queue, function_name, key)
  if redis.call('ZREM', lane_key, id) == 0 then
    return
  end
  add_to_count(key_queue(queue), 'waiting', -1)
  add_to_count(key_waiting(), function_name, -1)
  if redis.call('ZCARD', lane_key) == 0 then
    local keys = key_keys(queue, function_name)
    redis.call('ZREM', keys, key)
    if redis.call('EXISTS', keys) == 0 then
      redis.call('ZREM', key_ring(queue), function_name)
    end
  end
end

-- put_all_later(queue, entries): add up to 1,000 invocations of one due time; entries are due time,
-- id, … If they are the next to fall due, a blocked worker is woken, so that it blocks only until
-- then.
local function put_all_later(queue, entries)
  local due = key_due(queue)
  redis.call('ZADD', due, unpack(entries))  -- at most 1,000 pairs
  if tonumber(redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]) >= tonumber(entries[1]) then
    redis.call('SADD', key_queues(), queue)
    wake(queue)
  end
end

local function put_later(queue, id, due_ms)
  put_all_later(queue, { due_ms, id })
end

-- resume_function(queue, function_name): let a throttled function take turns again.
local function resume_function(queue, function_name)
  if redis.call('ZREM', key_held(queue), function_name) == 1
    and redis.call('EXISTS', key_keys(queue, function_name)) == 1 then
    redis.call('ZADD', key_ring(queue), 'NX', next_turn(queue), function_name)
    wake(queue)
  end
end
