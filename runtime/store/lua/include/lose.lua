-- lose(id, was, now, limit, ttl_ms): the runner or worker of a running attempt is gone. Another
-- takes over, in the order of the first acceptance, unless this was the `limit`th time.
local function lose(id, was, now, limit, ttl_ms)
  local record = key_record(id)
  local losses = redis.call('HINCRBY', record, 'losses', 1)
  redis.call('HINCRBY', key_queue(was.queue), 'running', -1)
  redis.call('HINCRBY', key_stats(), was.function_name .. ':lost', 1)
  if losses >= tonumber(limit) then
    local message = 'the runner or its worker died ' .. losses .. ' times while running this'
    local error = '{"type":"worker_lost","message":"' .. message .. '","traceback":null}'
    finish(id, was, 'failed', ttl_ms, now, { 'error', error })
    return 'FAILED'
  end
  redis.call('ZREM', key_leases(), id)
  redis.call('HSET', record, 'status', 'queued')
  put_in_lane(was.queue, was.lane, id, urgency(was.priority, was.created_at))
  return 'REQUEUED'
end

-- read_running(id): what lose and finish need to know, or nil when it is not running.
local function read_running(id)
  local f = redis.call('HMGET', key_record(id), 'status', 'token', 'function', 'queue', 'lane',
    'priority', 'created_at', 'callback', 'waiters')
  if f[1] ~= 'running' then
    return nil, f[1], f[2]
  end
  return {
    token = f[2], function_name = f[3], queue = f[4], lane = f[5] or f[3],
    priority = tonumber(f[6] or '5'), created_at = tonumber(f[7]),
    callback = f[8], waiters = f[9],
  }
end
