-- claim_invocations: a worker takes up to `limit` waiting invocations; lanes take turns.
--
-- ARGV     queue, worker, limit, lease_ms
-- RETURNS  {ms until the next falls due or -1, remaining lanes, entries…}; an entry is
--          {id, function, version, attempt, token, created_at, arguments, request, traceparent}
-- WHY ONE SCRIPT  between leaving its lane and being leased an invocation would belong to nobody;
--                 a worker killed there would lose it.
-- The first write is one that a full Redis refuses (HINCRBY), so that a refusal changes nothing.
-- include: clock
-- include: lanes
local now = now_ms()
local queue_key = key_queue(queue)
redis.call('HINCRBY', queue_key, 'claims', 1)

local due = key_due(queue)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, 100)) do
  local f = redis.call('HMGET', key_record(id), 'function', 'lane', 'priority')
  local at = tonumber(redis.call('ZSCORE', due, id))
  if f[1] then
    redis.call('HSET', key_record(id), 'status', 'queued')
    put_in_lane(queue, f[2] or f[1], id, urgency(tonumber(f[3] or '5'), at))
  end
  redis.call('ZREM', due, id)
end
local next_due = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
local reply = { next_due[2] and math.max(0, tonumber(next_due[2]) - now) or -1, 0 }
if redis.call('HGET', queue_key, 'paused') == '1' then
  return reply
end

local ring = key_ring(queue)
local left = tonumber(limit)
local taken = 0
while left > 0 do
  local lane = redis.call('LPOP', ring)
  if not lane then
    break
  end
  local lane_key = key_lane(queue, lane)
  local id = redis.call('ZPOPMIN', lane_key)[1]
  if id and redis.call('ZCARD', lane_key) > 0 then
    redis.call('RPUSH', ring, lane)
  end
  if id then
    local record = key_record(id)
    local f = redis.call('HMGET', record, 'function', 'version', 'created_at', 'arguments',
      'request', 'traceparent')
    local version = redis.call('HGET', key_versions(), f[1]) or f[2] or ''
    local attempt = redis.call('HINCRBY', record, 'attempt', 1)
    local token = redis.call('HINCRBY', record, 'token', 1)
    redis.call('HSET', record, 'status', 'running', 'worker', worker, 'started_at', now,
      'version', version)
    redis.call('ZADD', key_leases(), now + lease_ms, id)
    reply[#reply + 1] = { id, f[1], version, attempt, token, f[3], f[4], f[5] or '', f[6] or '' }
    taken = taken + 1
    left = left - 1
  end
end
if taken > 0 then
  redis.call('HINCRBY', queue_key, 'waiting', -taken)
  redis.call('HINCRBY', queue_key, 'running', taken)
end
local remaining = redis.call('LLEN', ring)
reply[2] = remaining
if remaining > 0 then
  wake(queue)
end
return reply
