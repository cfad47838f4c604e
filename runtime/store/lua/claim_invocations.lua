-- claim_invocations: a worker takes up to `limit` waiting invocations; functions take turns, and
-- within a function its fairness keys.
--
-- ARGV     queue, worker, limit, lease_ms, expired_ttl_ms
-- RETURNS  {ms until something falls due or -1, functions that still have work, {ids that have
--          expired…}, entries…}; an entry is {id, function, version, attempt, token, created_at, arguments, request,
--          traceparent, tracestate}
-- WHY ONE SCRIPT  between leaving its lane and being leased an invocation would belong to nobody;
--                 and two workers that look at once would both see room under a limit.
-- The first write is one that a full Redis refuses (HINCRBY), so that a refusal changes nothing.
-- include: clock
-- include: lanes
-- include: pace
-- include: create_delivery
-- include: tally
-- include: finish
local PATIENCE_MS = 5000
local now = now_ms()
local queue_key = key_queue(queue)
redis.call('HINCRBY', queue_key, 'claims', 1)

local due = key_due(queue)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, 100)) do
  local at = tonumber(redis.call('ZSCORE', due, id))
  redis.call('ZREM', due, id)
  local was = read_facts(id)
  if was.status == 'scheduled' or was.status == 'retrying' then
    redis.call('HSET', key_record(id), 'status', 'queued')
    put_in_lane(queue, was.function_name, was.key, id, urgency(was.priority, at))
    if was.batch then
      count_in_batch(was.batch, now, was.status, 'queued')
    end
    poke(id, was.watchers)
  end
end
local held = key_held(queue)
for _, name in ipairs(redis.call('ZRANGEBYSCORE', held, '-inf', now, 'LIMIT', 0, 100)) do
  let_go_on(queue, name)
end

-- until_next(): for how long the caller may block if nothing new comes.
local function until_next()
  local next_due = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]
  local next_held = redis.call('ZRANGE', held, 0, 0, 'WITHSCORES')[2]
  local at = math.min(tonumber(next_due or 'inf'), tonumber(next_held or 'inf'))
  return at == math.huge and -1 or math.max(0, math.ceil(at - now))
end

if redis.call('HGET', queue_key, 'paused') == '1' then
  return { until_next(), 0, {} }
end

-- may_start(name, limits): whether a function's limits let one more start; if not it is held
-- until it may, or until a running one ends.
local function may_start(name, limits)
  local concurrency, count, per_ms = string.match(limits, '^(%d+) (%d+) (%d+)$')
  if concurrency ~= '0' and redis.call('SCARD', key_running(name)) >= tonumber(concurrency) then
    redis.call('ZADD', held, now + PATIENCE_MS, name)
    return false
  end
  if count ~= '0' then
    local tolerance = math.max(100, per_ms / count) - per_ms / count
    local at = pace('fn:' .. name, tolerance)
    if at > now then
      redis.call('ZADD', held, math.ceil(at), name)
      return false
    end
  end
  return true
end

local function count_limits(name, limits, id)
  local concurrency, count, per_ms = string.match(limits, '^(%d+) (%d+) (%d+)$')
  if concurrency ~= '0' then
    redis.call('SADD', key_running(name), id)
  end
  if count ~= '0' then
    count_start('fn:' .. name, now, tonumber(count), tonumber(per_ms))
  end
end

local ring = key_ring(queue)
local expired = {}
local reply = { 0, 0, expired }
local left, taken, looks = tonumber(limit), 0, 0
while left > 0 and looks < 1000 do
  looks = looks + 1
  local name = redis.call('LPOP', ring)
  if not name then
    break
  end
  local limits = redis.call('HGET', key_limits(), name)
  if not limits or may_start(name, limits) then
    local keys = key_keys(queue, name)
    local key = redis.call('LPOP', keys)
    local id = key and redis.call('ZPOPMIN', key_lane(queue, name, key))[1]
    if id and redis.call('ZCARD', key_lane(queue, name, key)) > 0 then
      redis.call('RPUSH', keys, key)
      redis.call('RPUSH', ring, name)
    elseif key and redis.call('LLEN', keys) > 0 then
      redis.call('RPUSH', ring, name)
    end
    if id then
      taken = taken + 1
      redis.call('HINCRBY', key_waiting(), name, -1)
      local record = key_record(id)
      local f = redis.call('HMGET', record, 'function', 'version', 'created_at', 'arguments',
        'request', 'traceparent', 'expires_at', 'batch', 'watchers', 'tracestate')
      if f[7] and tonumber(f[7]) <= now then
        redis.call('HINCRBY', queue_key, 'waiting', -1)
        taken = taken - 1
        finish(id, read_facts(id), 'expired', expired_ttl_ms, now, {})
        expired[#expired + 1] = id
      else
        local version = redis.call('HGET', key_versions(), name) or f[2] or ''
        local attempt = redis.call('HINCRBY', record, 'attempt', 1)
        local token = redis.call('HINCRBY', record, 'token', 1)
        redis.call('HSET', record, 'status', 'running', 'worker', worker, 'started_at', now,
          'version', version)
        redis.call('ZADD', key_leases(), now + lease_ms, id)
        if limits then
          count_limits(name, limits, id)
        end
        if f[8] then
          count_in_batch(f[8], now, 'queued', 'running')
        end
        poke(id, f[9])
        reply[#reply + 1] = { id, name, version, attempt, token, f[3], f[4], f[5] or '',
          f[6] or '', f[10] or '' }
        left = left - 1
      end
    end
  end
end
if taken > 0 then
  redis.call('HINCRBY', queue_key, 'waiting', -taken)
  redis.call('HINCRBY', queue_key, 'running', taken)
end
write_tally(now)
reply[1] = until_next()
reply[2] = redis.call('LLEN', ring)
if reply[2] > 0 then
  wake(queue)
end
return reply
