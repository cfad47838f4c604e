-- check_receivers: check that callback receivers have turns, and count their attempts in flight.
--
-- ARGV     repair, receivers...
--          at most 100 digests of URLs; the digest of an origin follows the word `origin `
-- RETURNS  {how many existed, {findings…}}, see include/findings.lua
-- MOST     5,000 attempts, 100 receivers of 10 steps each: 6,000 steps
-- WHY ONE SCRIPT  as check_invocations. With more than 5,000 attempts in flight nothing is
--                 compared.
-- include: clock
-- include: receiver_turns
-- include: findings
local MOST_LEASES = 5000
local in_flight, of_origin, looked = {}, {}, 0
if redis.call('ZCARD', key_delivery_leases()) > MOST_LEASES then
  return { 0, {} }
end
for _, id in ipairs(redis.call('ZRANGE', key_delivery_leases(), 0, -1)) do
  local url = redis.call('HGET', key_delivery(id), 'url')
  if url then
    local receiver, origin = receiver_of(url)
    in_flight[receiver] = (in_flight[receiver] or 0) + 1
    of_origin[origin] = (of_origin[origin] or 0) + 1
  end
end
local turn = now_ms() * 1000

local function check_origin(origin)
  local is = tonumber(redis.call('GET', key_origin(origin)) or '0') or 0
  local should = of_origin[origin] or 0
  if is ~= should and found('wrong_count', 'origin ' .. origin, is .. ' attempts counted',
    'there are ' .. should) then
    if should == 0 then
      redis.call('DEL', key_origin(origin))
    else
      redis.call('SET', key_origin(origin), should, 'PX', ORIGIN_KEPT_MS)
    end
  end
end

local function check_receiver(receiver)
  local r = redis.call('HMGET', key_receiver(receiver), 'in_flight', 'most')
  local first = redis.call('ZRANGE', key_receiver_lane(receiver), 0, 0)[1]
  looked = looked + ((r[1] or first) and 1 or 0)
  local is, should = tonumber(r[1] or '0'), in_flight[receiver] or 0
  if is ~= should and found('wrong_count', 'receiver ' .. receiver,
    is .. ' attempts counted', 'there are ' .. should) then
    redis.call('HSET', key_receiver(receiver), 'in_flight', should)
    redis.call('PEXPIRE', key_receiver(receiver), RECEIVER_KEPT_MS)
  end
  local url = first and redis.call('HGET', key_delivery(first), 'url')
  if url and should < tonumber(r[2] or '1') then
    local _, origin = receiver_of(url)
    if not (redis.call('ZSCORE', key_origin_ring(origin), receiver)
      and redis.call('ZSCORE', key_origins(), origin))
      and found('lane_without_turn', 'receiver ' .. receiver,
        'deliveries wait, but it has no turn', 'takes turns') then
      turn = turn + 1
      offer_turn(receiver, origin, string.format('%.0f', turn))
      if redis.call('EXISTS', key_delivery_wake()) == 0 then
        redis.call('RPUSH', key_delivery_wake(), '1')
      end
    end
  end
end

for at = rest, #ARGV do
  local origin = string.match(ARGV[at], '^origin (.*)$')
  if origin then
    looked = looked + 1
    check_origin(origin)
  else
    check_receiver(ARGV[at])
  end
end
return { looked, findings }
