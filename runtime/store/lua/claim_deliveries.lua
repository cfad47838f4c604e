-- claim_deliveries: a sender with `free` slots takes up to `limit` due deliveries. Origins take
-- turns, and receivers within an origin.
--
-- ARGV     free, limit, lease_ms, most_steps
-- RETURNS  {now in ms, ms until more may be due or -1, deliveries…}; a delivery is {id, invocation,
--          function, outcome, url, attempt, step, traceparent, tracestate, the caller's callback
--          secrets, newest first, separated by blanks}
-- MOST     200 leases, 500 due and 500 origins; 15 steps each
-- WHY ONE SCRIPT  a crash between leaving its lane and getting its lease would lose a delivery.
--
-- A damaged delivery ends as failed and is listed in quarantine; the others go on. An origin may
-- have no more attempts in flight than there are free slots: a single origin gets half of all
-- slots, and a new origin finds a slot even if a hundred others hang.
-- include: clock
-- include: receiver_turns
-- include: end_delivery
-- include: log_attempt
-- include: broken_list
local PROMOTED, EXPIRED, LOOKED_AT = 500, 200, 500
local now = now_ms()
local turn = now * 1000
local function next_turn()
  turn = turn + 1
  return string.format('%.0f', turn)
end
local due, leases, origins = key_deliveries_due(), key_delivery_leases(), key_origins()

-- set_aside(id, problem): end a damaged delivery as failed and list it in quarantine.
local function set_aside(id, problem)
  note_broken(id, {}, 'a delivery: ' .. reason_of(problem), now)
  if not pcall(end_delivery, id, 'failed', now) then
    redis.call('ZREM', key_deliveries('pending'), id)
  end
end

-- requeue_lost(id): the sender of an attempt died. The attempt counts.
local function requeue_lost(id)
  local d = redis.call('HMGET', key_delivery(id), 'url', 'step', 'claimed_at')
  if not d[1] then
    if redis.call('EXISTS', key_delivery(id)) == 1 then
      error('its record lacks url', 0)
    end
    return
  end
  receiver_done(d[1], 'steady', next_turn())
  local is_last = d[2] + 0 >= tonumber(most_steps)
  log_attempt(id, '{"at":' .. string.format('%.0f', d[3])
    .. ',"duration_ms":null,"status_code":null,"error":"the sender stopped"}')
  if is_last then
    end_delivery(id, 'failed', now)
  else
    redis.call('HSET', key_delivery(id), 'next_at', now)
    redis.call('ZADD', due, now, id)
  end
end

-- promote(id, at): move a due delivery into its receiver's lane.
local function promote(id, at)
  local url = redis.call('HGET', key_delivery(id), 'url')
  if url then
    local receiver, origin = receiver_of(url)
    redis.call('ZADD', key_receiver_lane(receiver), at, id)
    offer_turn(receiver, origin, next_turn())
  elseif redis.call('EXISTS', key_delivery(id)) == 1 then
    error('its record lacks url', 0)
  end
end

-- 1. Expired leases.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, EXPIRED)) do
  local is_sound, problem = pcall(requeue_lost, id)
  if not is_sound then
    set_aside(id, problem)
  end
  redis.call('ZREM', leases, id)
end

-- 2. Due deliveries.
local late = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'WITHSCORES', 'LIMIT', 0, PROMOTED)
for i = 1, #late, 2 do
  local is_sound, problem = pcall(promote, late[i], late[i + 1])
  if not is_sound then
    set_aside(late[i], problem)
  end
  redis.call('ZREM', due, late[i])
end

-- 3. Turns.
local reply = { now, -1 }
local slots = tonumber(free)
local left = redis.call('EXISTS', origins) == 1 and math.min(slots, tonumber(limit)) or 0

local function claim(id, receiver, origin)
  local key = key_delivery(id)
  local d = redis.call('HMGET', key, 'status', 'invocation', 'function', 'outcome', 'url')
  if (d[1] and d[1] ~= 'pending') or redis.call('EXISTS', key) == 0 then
    return
  end
  if not (d[1] and d[2] and d[3] and d[4] and d[5]) then
    error('its record lacks status, invocation, function, outcome or url', 0)
  end
  local is_batch = redis.call('EXISTS', key_record(d[2])) == 0
  local cause = is_batch and key_batch(d[2]) or key_record(d[2])
  local trace = redis.call('HMGET', cause, 'traceparent', 'tracestate', 'caller')
  local secrets = trace[3] and redis.call('HMGET', key_caller(trace[3]), 'newest', 'older') or {}
  local attempt = redis.call('HINCRBY', key, 'attempt', 1)
  local step = redis.call('HINCRBY', key, 'step', 1)
  redis.call('HSET', key, 'claimed_at', now)
  redis.call('HDEL', key, 'next_at')
  redis.call('ZADD', leases, now + lease_ms, id)
  receiver_started(receiver, origin)
  reply[#reply + 1] = { id, d[2], d[3], d[4], d[5], attempt, step, trace[1] or '', trace[2] or '',
    (secrets[1] or '') .. ' ' .. (secrets[2] or '') }
  left = left - 1
  slots = slots - 1
end

-- This write changes nothing, but a full Redis refuses it: no attempt may start whose end could not
-- be stored.
if left > 0 then
  redis.call('ZADD', origins, 'XX', 0, '')
end
local crowded = {}
while left > 0 and #crowded < LOOKED_AT do
  local origin = redis.call('ZPOPMIN', origins)[1]
  if not origin then
    break
  end
  if tonumber(redis.call('GET', key_origin(origin)) or '0') >= slots then
    crowded[#crowded + 1] = origin
  else
    local receiver = redis.call('ZPOPMIN', key_origin_ring(origin))[1]
    local id = receiver and redis.call('ZPOPMIN', key_receiver_lane(receiver))[1]
    if id then
      local is_sound, problem = pcall(claim, id, receiver, origin)
      if not is_sound then
        set_aside(id, problem)
      end
    end
    if receiver then
      offer_turn(receiver, origin, next_turn())
    end
    if redis.call('EXISTS', key_origin_ring(origin)) == 1 then
      redis.call('ZADD', origins, 'NX', next_turn(), origin)
    end
  end
end
local unseen = redis.call('EXISTS', origins) == 1
for _, origin in ipairs(crowded) do
  redis.call('ZADD', origins, 'NX', next_turn(), origin)
end

-- 4. Another sender may have slots for the rest; and when are the next ones due?
if unseen and redis.call('EXISTS', key_delivery_wake()) == 0 then
  redis.call('RPUSH', key_delivery_wake(), '1')
end
for _, waiting in ipairs({ due, leases }) do
  local first = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')[2]
  if first then
    local wait = math.max(0, tonumber(first) - now)
    reply[2] = (reply[2] < 0 or wait < reply[2]) and wait or reply[2]
  end
end
return reply
