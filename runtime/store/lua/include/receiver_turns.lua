-- Receivers take turns: a receiver is one callback address, an origin all addresses of one scheme,
-- host and port. A due delivery waits in its receiver's lane; a receiver that has work and may have
-- one more attempt in flight is in its origin's ring, an origin with such a receiver is in the ring
-- of origins. Rings are sorted by `turn`, the moment of joining in µs, so nobody is in one twice.
local RECEIVER_KEPT_MS = 604800000
local ORIGIN_KEPT_MS = 86400000
local MOST_IN_FLIGHT = 32

-- receiver_of(url): the receiver and its origin, as digests: keys stay short, addresses private.
local function receiver_of(url)
  local origin = string.match(url, '^%a+://[^/?#]+') or url
  return redis.sha1hex(url), redis.sha1hex(string.lower(origin))
end

-- offer_turn(receiver, origin, turn): let it take part if it has work and room.
local function offer_turn(receiver, origin, turn)
  local r = redis.call('HMGET', key_receiver(receiver), 'in_flight', 'most')
  if tonumber(r[1] or '0') < tonumber(r[2] or '1')
    and redis.call('EXISTS', key_receiver_lane(receiver)) == 1 then
    redis.call('ZADD', key_origin_ring(origin), 'NX', turn, receiver)
    redis.call('ZADD', key_origins(), 'NX', turn, origin)
  end
end

-- receiver_started(receiver, origin): one more of its attempts is in flight.
local function receiver_started(receiver, origin)
  redis.call('HINCRBY', key_receiver(receiver), 'in_flight', 1)
  redis.call('PEXPIRE', key_receiver(receiver), RECEIVER_KEPT_MS)
  redis.call('INCR', key_origin(origin))
  redis.call('PEXPIRE', key_origin(origin), ORIGIN_KEPT_MS)
end

-- receiver_done(url, pace, turn): one of its attempts has ended. `pace` says how: a quick receiver may have
-- twice as many in flight from now on, one that kept us waiting a single one.
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
