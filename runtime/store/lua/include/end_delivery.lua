-- end_delivery(delivery_id, status, now): the only way a delivery ends. It is kept for seven days.
-- Index entries of deliveries created more than fourteen days ago are removed: those have expired.
-- include: counting
local DELIVERY_KEPT_MS = 604800000

local function end_delivery(delivery_id, status, now)
  local key = key_delivery(delivery_id)
  redis.call('HSET', key, 'status', status, 'ended_at', now)
  redis.call('HDEL', key, 'next_at')
  redis.call('PEXPIRE', key, DELIVERY_KEPT_MS)
  redis.call('PEXPIRE', key_attempts(delivery_id), DELIVERY_KEPT_MS)
  local created_at = redis.call('HGET', key, 'created_at') or now
  add_to_count(key_stats(), 'deliveries_' .. status, 1)
  redis.call('ZREM', key_deliveries('pending'), delivery_id)
  redis.call('ZADD', key_deliveries(status), created_at, delivery_id)
  redis.call('ZREMRANGEBYSCORE', key_deliveries(status), '-inf', now - 2 * DELIVERY_KEPT_MS)
end
