-- include: history
local is_limited = {}

-- leave_running(id, was): an attempt is over, whatever comes next: its lease, its place under the
-- function's concurrency, its count in the queue.
local function leave_running(id, was)
  change_count(key_queue(was.queue), 'running', -1)
  remove_member(key_leases(), id)
  local running = key_running(was.function_name)
  if is_limited[running] == nil then
    is_limited[running] = redis.call('EXISTS', running) == 1
  end
  if is_limited[running] and redis.call('SREM', running, id) == 1 then
    let_go_on(was.queue, was.function_name)
  end
end

-- lose(id, was, now, limit, ttl_ms): the runner or worker of a running attempt is gone. Another
-- takes over, in the order of the first acceptance, unless this was the `limit`th time or its
-- caller has cancelled it.
local function lose(id, was, now, limit, ttl_ms)
  local record = key_record(id)
  local losses = redis.call('HINCRBY', record, 'losses', 1)
  tally(was.function_name .. ':lost', 1)
  leave_running(id, was)
  if was.is_cancelling then
    finish(id, was, 'cancelled', ttl_ms, now, {})
    return
  end
  if losses >= tonumber(limit) then
    local message = 'the runner or its worker died ' .. losses .. ' times while running this'
    local error = '{"type":"worker_lost","message":"' .. message .. '","traceback":null}'
    finish(id, was, 'failed', ttl_ms, now, { 'error', error })
    return
  end
  note_attempt(id, was, now, 'worker_lost', '')
  redis.call('HSET', record, 'status', 'queued')
  put_in_lane(was.queue, was.function_name, was.key, id, urgency(was.priority, was.created_at))
  if was.batch then
    count_in_batch(was.batch, now, 'running', 'queued')
  end
  poke(id, was.watchers)
end
