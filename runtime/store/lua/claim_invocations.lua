-- claim_invocations: a worker takes up to `limit` waiting invocations; functions take turns, and
-- within a function its fairness keys. When that many are taken it takes up to `ahead` more, of
-- functions that its caller names as quick and that have no limit; all others keep their turn.
--
-- ARGV     queue, worker, limit, lease_ms, ahead, quick, expired_ttl_ms
--          quick is names of functions, separated by blanks
-- RETURNS  {ms until something falls due or -1, functions that still have work or -1 while the
--          queue is paused, {ids that have expired…}, entries…}; an entry is {id, function, version,
--          attempt, token, created_at, arguments, request, traceparent, tracestate}
-- WHY ONE SCRIPT  between leaving its lane and being leased an invocation would belong to nobody;
--                 and two workers that look at once would both see room under a limit.
-- The first write is one that a full Redis refuses (HINCRBY), so that a refusal changes nothing.
-- include: clock
-- include: lanes
-- include: pace
-- include: create_delivery
-- include: gather
-- include: tally
-- include: finish
local PATIENCE_MS = 5000
local MOST_PASSED_OVER = 50
local now = now_ms()
local queue_key = key_queue(queue)
redis.call('HINCRBY', queue_key, 'claims', 1)

-- first_of(key): the score of a sorted set's first member, or infinity.
local function first_of(key)
  return tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] or 'inf')
end

local due = key_due(queue)
local due_at = first_of(due)
if due_at <= now then
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
  due_at = first_of(due)
end
local held = key_held(queue)
if first_of(held) <= now then
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', held, '-inf', now, 'LIMIT', 0, 100)) do
    let_go_on(queue, name)
  end
end

-- until_next(): for how long the caller may block if nothing new comes.
local function until_next()
  local at = math.min(due_at, first_of(held))
  return at == math.huge and -1 or math.max(0, math.ceil(at - now))
end

if redis.call('HGET', queue_key, 'paused') == '1' then
  return { until_next(), -1, {} }
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

local expired = {}
local reply = { 0, 0, expired }
local left, more, popped, started = tonumber(limit), tonumber(ahead), 0, 0
local limits_of, versions = {}, {}

-- limits_for(name): a function's limits, false where it has none.
local function limits_for(name)
  if limits_of[name] == nil then
    limits_of[name] = redis.call('HGET', key_limits(), name)
    versions[name] = redis.call('HGET', key_versions(), name)
  end
  return limits_of[name]
end

-- start(name, limits, id): what has left its lane gets its lease, unless it waited for too long.
local function start(name, limits, id)
  local record = key_record(id)
  local f = redis.call('HMGET', record, 'version', 'created_at', 'arguments', 'request',
    'traceparent', 'expires_at', 'batch', 'watchers', 'tracestate', 'attempt', 'token')
  if f[6] and tonumber(f[6]) <= now then
    finish(id, read_facts(id), 'expired', expired_ttl_ms, now, {})
    expired[#expired + 1] = id
    return
  end
  local version = versions[name] or f[1] or ''
  local attempt, token = (f[10] or 0) + 1, (f[11] or 0) + 1
  redis.call('HSET', record, 'status', 'running', 'worker', worker, 'started_at', now,
    'version', version, 'attempt', attempt, 'token', token)
  add_member(key_leases(), now + lease_ms, id)
  if limits then
    count_limits(name, limits, id)
  end
  if f[7] then
    count_in_batch(f[7], now, 'queued', 'running')
  end
  poke(id, f[8])
  reply[#reply + 1] = { id, name, version, attempt, token, f[2], f[3], f[4] or '', f[5] or '',
    f[9] or '' }
  started = started + 1
  if left > 0 then
    left = left - 1
  else
    more = more - 1
  end
end

-- may_go_ahead(name, limits): whether it may be taken although the limit is used up.
local function may_go_ahead(name, limits)
  return more > 0 and not limits
    and string.find(' ' .. quick .. ' ', ' ' .. name .. ' ', 1, true) ~= nil
end

-- Who is alone has all turns: many leave its lane at once. Under a limit each is judged by itself.
local ring = key_ring(queue)
local looks, passed_over = 0, {}
while (left > 0 or (more > 0 and #passed_over < MOST_PASSED_OVER)) and looks < 1000 do
  looks = looks + 1
  local name = redis.call('LPOP', ring)
  if not name then
    break
  end
  local limits = limits_for(name)
  local goes_ahead = may_go_ahead(name, limits)
  if left <= 0 and not goes_ahead then
    table.insert(passed_over, 1, name)
  elseif not limits or may_start(name, limits) then
    local keys = key_keys(queue, name)
    local key = redis.call('LPOP', keys)
    local has_more_keys = key and redis.call('LLEN', keys) > 0
    local most = 1
    if not limits and not has_more_keys and redis.call('LLEN', ring) == 0 then
      most = goes_ahead and left + more or left
    end
    local ids = key and redis.call('ZPOPMIN', key_lane(queue, name, key), most) or {}
    local count = #ids / 2
    local has_more = count == most and redis.call('ZCARD', key_lane(queue, name, key)) > 0
    if has_more then
      redis.call('RPUSH', keys, key)
    end
    if has_more or has_more_keys then
      redis.call('RPUSH', ring, name)
    end
    popped = popped + count
    change_count(key_waiting(), name, -count)
    for i = 1, #ids, 2 do
      start(name, limits, ids[i])
    end
  end
end
-- Where they stood: before those that have had a turn.
for _, name in ipairs(passed_over) do
  redis.call('LPUSH', ring, name)
end
if popped > 0 then
  redis.call('HINCRBY', queue_key, 'waiting', -popped)
  redis.call('HINCRBY', queue_key, 'running', started)
end
write_gathered()
write_tally(now)
reply[1] = until_next()
reply[2] = redis.call('LLEN', ring)
if reply[2] > 0 then
  wake(queue)
end
return reply
