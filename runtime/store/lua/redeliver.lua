-- redeliver: send a delivery at once, with its id and history; an ended one starts its retries anew.
--
-- ARGV     delivery_id, record_ttl_ms
-- RETURNS  OK | MISSING | GONE
--          GONE: the invocation or batch is no longer kept, so there is nothing to send
-- MOST     15 steps
-- WHY ONE SCRIPT  an operator may redeliver while a sender ends the delivery; a check and a write
--                 in one step settle it. A delivery in flight or waiting for its turn is left
--                 alone.
-- include: clock
local SWEPT_LATE_MS = 3600000
local key = key_delivery(delivery_id)
local d = redis.call('HMGET', key, 'status', 'invocation', 'created_at')
if not d[1] then
  return 'MISSING'
end
local kept = { key_record(d[2]), key_history(d[2]), key_outputs(d[2]) }
if redis.call('EXISTS', kept[1]) == 0 then
  kept = { key_batch(d[2]), key_batch_items(d[2]) }
end
local lives_ms = redis.call('PTTL', kept[1])
if lives_ms == -2 then
  return 'GONE'
end

local now = now_ms()
local due = key_deliveries_due()
if d[1] ~= 'pending' then
  redis.call('HSET', key, 'status', 'pending', 'step', 0, 'next_at', now)
  redis.call('HDEL', key, 'ended_at')
  redis.call('PERSIST', key)
  redis.call('PERSIST', key_attempts(delivery_id))
  redis.call('ZREM', key_deliveries(d[1]), delivery_id)
  redis.call('ZADD', key_deliveries('pending'), d[3], delivery_id)
  redis.call('ZADD', due, now, delivery_id)
elseif redis.call('ZSCORE', due, delivery_id) then
  redis.call('HSET', key, 'next_at', now)
  redis.call('ZADD', due, now, delivery_id)
end
-- delete_expired goes by `retention`; the time to live is a fallback for when no worker runs it.
redis.call('ZADD', key_retention(), 'XX', 'GT', string.format('%.0f', now + record_ttl_ms), d[2])
if lives_ms >= 0 and lives_ms < record_ttl_ms + SWEPT_LATE_MS then
  for _, one in ipairs(kept) do
    redis.call('PEXPIRE', one, string.format('%.0f', record_ttl_ms + SWEPT_LATE_MS))
  end
end
if redis.call('EXISTS', key_delivery_wake()) == 0 then
  redis.call('RPUSH', key_delivery_wake(), '1')
end
return 'OK'
