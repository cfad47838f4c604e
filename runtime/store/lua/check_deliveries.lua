-- check_deliveries: check that pending deliveries will be sent and finished ones will expire.
--
-- ARGV     repair, ids...
--          at most 200 ids of deliveries
-- RETURNS  {how many existed, {findings…}}, see include/findings.lua
-- MOST     200 deliveries of 12 steps each
-- WHY ONE SCRIPT  as check_invocations.
-- include: clock
-- include: receiver_turns
-- include: findings
-- include: end_delivery
local now = now_ms()
local looked = 0

local function is_on_its_way(id, url)
  return redis.call('ZSCORE', key_deliveries_due(), id)
    or redis.call('ZSCORE', key_delivery_leases(), id)
    or redis.call('ZSCORE', key_receiver_lane((receiver_of(url))), id)
end

local function check(id)
  local key = key_delivery(id)
  local d = redis.call('HMGET', key, 'status', 'invocation', 'function', 'outcome', 'url',
    'created_at', 'next_at')
  if redis.call('EXISTS', key) == 1 then
    looked = looked + 1
    local has_ended = d[1] and d[1] ~= 'pending'
    local is_whole = d[1] and d[6] and (has_ended or d[2] and d[3] and d[4] and d[5])
    if not is_whole then
      if found('incomplete_delivery', id, 'nobody can send it', 'failed') then
        redis.call('ZREM', key_deliveries_due(), id)
        redis.call('ZREM', key_delivery_leases(), id)
        redis.call('HSETNX', key, 'created_at', now)
        end_delivery(id, 'failed', now)
      end
    elseif not has_ended then
      if not is_on_its_way(id, d[5])
        and found('missing_in_due', id, 'pending, but never due', 'due') then
        redis.call('ZADD', key_deliveries_due(), d[7] or now, id)
        if redis.call('EXISTS', key_delivery_wake()) == 0 then
          redis.call('RPUSH', key_delivery_wake(), '1')
        end
      end
    elseif redis.call('PTTL', key) < 0
      and found('missing_in_retention', id, 'ended, but kept for ever', 'kept for a week') then
      redis.call('PEXPIRE', key, DELIVERY_KEPT_MS)
      redis.call('PEXPIRE', key_attempts(id), DELIVERY_KEPT_MS)
    end
    if is_whole and not redis.call('ZSCORE', key_deliveries(d[1]), id)
      and found('missing_in_index', id, 'not listed as ' .. d[1], 'listed') then
      redis.call('ZADD', key_deliveries(d[1]), d[6], id)
    end
  end
end

for at = rest, #ARGV do
  examine(ARGV[at], check)
end
return { looked, findings }
