-- include: lanes
-- include: finish
-- include: history
local is_limited, left = {}, {}

-- leave_unknown(id): as leave_running, where nobody knows of which function.
local function leave_unknown(id)
  for at, name in ipairs(redis.call('HKEYS', key_limits())) do
    if at > 1000 then
      break
    end
    redis.call('SREM', key_running(name), id)
  end
end

-- leave_running(id, was): an attempt is over, whatever comes next: its lease, its place under the
-- function's concurrency, its count in the queue. Once a script.
local function leave_running(id, was)
  if left[id] then
    return
  end
  left[id] = true
  remove_member(key_leases(), id)
  if was.queue then
    change_count(key_queue(was.queue), 'running', -1)
  end
  -- If it waits again its max_age counts again; what ends leaves this set after.
  if was.expires_at then
    redis.call('ZADD', key_expiring(), was.expires_at, id)
  end
  if not was.function_name then
    leave_unknown(id)
    return
  end
  local running = key_running(was.function_name)
  if is_limited[running] == nil then
    is_limited[running] = redis.call('EXISTS', running) == 1
  end
  if is_limited[running] and redis.call('SREM', running, id) == 1 and was.queue then
    let_go_on(was.queue, was.function_name)
  end
end

-- wait_again(id, was, now): a running one goes back to its lane, in the order of its acceptance.
local function wait_again(id, was, now)
  redis.call('HSET', key_record(id), 'status', 'queued')
  put_in_lane(was.queue, was.function_name, was.key, id, urgency(was.priority, was.created_at))
  poke(id, was.watchers)
  if was.batch then
    count_in_batch(was.batch, now, 'running', 'queued')
  end
end

-- end_lost(id, was, now, ttl_ms, message): as failed, because nobody is able to run it.
local function end_lost(id, was, now, ttl_ms, message)
  local error = '{"type":"worker_lost","message":"' .. message .. '","traceback":null}'
  finish(id, was, 'failed', ttl_ms, now, { 'error', error })
  return 'failed'
end

-- lose(id, was, now, limit, ttl_ms): the runner or worker of a running attempt is gone. Another
-- takes over, unless this was the `limit`th time or its caller has cancelled it. Returns its status.
local function lose(id, was, now, limit, ttl_ms)
  local losses = redis.call('HINCRBY', key_record(id), 'losses', 1)
  tally(was.function_name .. ':lost', 1)
  leave_running(id, was)
  if was.is_cancelling then
    finish(id, was, 'cancelled', ttl_ms, now, {})
    return 'cancelled'
  end
  if losses >= limit then
    return end_lost(id, was, now, ttl_ms,
      'the runner or its worker died ' .. losses .. ' times while running this')
  end
  note_attempt(id, was, now, 'worker_lost', '')
  wait_again(id, was, now)
  return 'queued'
end

-- give_back_unheard(id, was, now, limit, ttl_ms): it was claimed, and the worker never heard of it:
-- nothing has begun, so nothing is counted but how often that was so. Returns its status.
local function give_back_unheard(id, was, now, limit, ttl_ms)
  local times = redis.call('HINCRBY', key_record(id), 'unheard', 1)
  redis.call('HINCRBY', key_record(id), 'attempt', -1)
  leave_running(id, was)
  if was.is_cancelling then
    finish(id, was, 'cancelled', ttl_ms, now, {})
    return 'cancelled'
  end
  if times >= limit then
    return end_lost(id, was, now, ttl_ms,
      'it was given to a worker ' .. times .. ' times, and the answer was lost each time')
  end
  wait_again(id, was, now)
  return 'queued'
end
