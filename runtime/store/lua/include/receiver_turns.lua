-- Receivers take turns. A receiver is one callback URL; an origin is all URLs with one scheme, host
-- and port. A due delivery waits in its receiver's lane. A receiver with work that may have one
-- more attempt in flight is in its origin's ring; an origin with such a receiver is in the ring of
-- origins. Rings are sorted sets by `turn`, the time of joining in µs, so an entry occurs once.
local RECEIVER_KEPT_MS = 604800000
local ORIGIN_KEPT_MS = 86400000
local MOST_IN_FLIGHT = 32

-- receiver_of(url): the digests of a receiver and its origin. They keep keys short and URLs
-- private.
local function receiver_of(url)
  local origin = string.match(url, '^%a+://[^/?#]+') or url
  return redis.sha1hex(url), redis.sha1hex(string.lower(origin))
end

-- offer_turn(receiver, origin, turn): give turns to a receiver that has work and may have one more
-- attempt in flight.
local function offer_turn(receiver, origin, turn)
  local r = redis.call('HMGET', key_receiver(receiver), 'in_flight', 'most')
  if tonumber(r[1] or '0') < tonumber(r[2] or '1')
    and redis.call('EXISTS', key_receiver_lane(receiver)) == 1 then
    redis.call('ZADD', key_origin_ring(origin), 'NX', turn, receiver)
    redis.call('ZADD', key_origins(), 'NX', turn, origin)
  end
end

-- receiver_started(receiver, origin): count one more attempt in flight.
local function receiver_started(receiver, origin)
  redis.call('HINCRBY', key_receiver(receiver), 'in_flight', 1)
  redis.call('PEXPIRE', key_receiver(receiver), RECEIVER_KEPT_MS)
  redis.call('INCR', key_origin(origin))
  redis.call('PEXPIRE', key_origin(origin), ORIGIN_KEPT_MS)
end

-- receiver_done(url, pace, turn): an attempt has ended. `pace` says how fast the receiver answered:
-- after `quick` it may have twice as many attempts in flight (at most 32), after `slow` only one.
local function receiver_done(url, pace, turn)
  local receiver, origin = receiver_of(url)
  local key = key_receiver(receiver)
  if redis.call('HINCRBY', key, 'in_flight', -1) < 0 then
    redis.call('HSET', key, 'in_flight', 0)
  end
  if pace == 'slow' then
    redis.call('HSET', key, 'most', 1)
  elseif pace == 'quick' then
    local most = tonumber(redis.call('HGET', key, 'most') or '1')
    redis.call('HSET', key, 'most', math.min(MOST_IN_FLIGHT, most * 2))
  end
  redis.call('PEXPIRE', key, RECEIVER_KEPT_MS)
  if redis.call('DECR', key_origin(origin)) <= 0 then
    redis.call('DEL', key_origin(origin))
  end
  offer_turn(receiver, origin, turn)
end
