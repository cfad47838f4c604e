-- What happens to a running invocation that does not finish with its attempt, or loses its worker.
-- include: lanes
-- include: finish_record
-- include: release_running
-- include: history
-- include: notices
-- try_again(id, was, now, due, fields, error): retry a failed attempt at `due`. `fields` are
-- further names and values for the record, `error` is the attempt's error.
local function try_again(id, was, now, due, fields, error)
  local name = was.function_name
  redis.call('HSET', key_record(id), 'status', 'retrying', 'retry_at', due, unpack(fields))  -- at most 8
  tally(name .. ':retried', 1)
  leave_running(id, was)
  note_attempt(id, was, now, 'retrying', error)
  put_later(was.queue, id, due)
  remove_member(key_index('live'), id)
  remove_member(key_index('live:' .. name), id)
  add_member(key_index('retrying'), '0', id)
  add_member(key_index('retrying:' .. name), '0', id)
  notify_watchers(id, was.watchers)
  if was.batch then
    move_in_batch(was.batch, 'running', 'retrying')
  end
end

-- wait_again(id, was, now): return a running invocation to its lane, ordered by its creation time.
local function wait_again(id, was, now)
  redis.call('HSET', key_record(id), 'status', 'queued')
  put_in_lane(was.queue, was.function_name, was.key, id, urgency(was.priority, was.created_at))
  notify_watchers(id, was.watchers)
  if was.batch then
    move_in_batch(was.batch, 'running', 'queued')
  end
end

-- end_lost(id, was, now, ttl_ms, message): finish as failed an invocation that was lost too often.
local function end_lost(id, was, now, ttl_ms, message)
  local error = '{"type":"worker_lost","message":"' .. message .. '","traceback":null}'
  finish(id, was, 'failed', ttl_ms, now, { 'error', error })
  return 'failed'
end

-- requeue_lost(id, was, now, limit, ttl_ms): the runner or worker of a running attempt is gone. The
-- invocation waits again, unless it was lost `limit` times or its caller has cancelled it. Returns
-- its status.
local function requeue_lost(id, was, now, limit, ttl_ms)
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

-- give_back_unheard(id, was, now, limit, ttl_ms): it was claimed, but the claim's reply did not
-- reach the worker. Nothing has begun: neither an attempt nor a loss is counted, only the field
-- `unheard`. Returns its status.
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
