-- settle_delivery: store how an attempt ended, and when the next one is due.
--
-- ARGV     delivery_id, attempt, verdict, retry_in_ms, pace, entry
--          verdict is delivered, failed, stopped or pending (retry); pace is quick, steady or slow
-- RETURNS  OK | LOST
-- MOST     25 steps
-- WHY ONE SCRIPT  the attempt's number is its fencing token: a sender that has lost its lease must
--                 not change the delivery between the check and the write.
-- include: clock
-- include: receiver_turns
-- include: end_delivery
-- include: log_attempt
local key = key_delivery(delivery_id)
local d = redis.call('HMGET', key, 'attempt', 'url')
if d[1] ~= attempt or not redis.call('ZSCORE', key_delivery_leases(), delivery_id) then
  return 'LOST'
end

-- The first write is one that a full Redis refuses, so a refusal changes nothing.
local now = now_ms()
log_attempt(delivery_id, entry)
redis.call('ZREM', key_delivery_leases(), delivery_id)
receiver_done(d[2], pace, string.format('%.0f', now * 1000))
if verdict == 'pending' then
  local next_at = now + retry_in_ms
  redis.call('HSET', key, 'next_at', next_at)
  redis.call('ZADD', key_deliveries_due(), next_at, delivery_id)
else
  end_delivery(delivery_id, verdict, now)
end
return 'OK'
