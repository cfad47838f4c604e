-- create_delivery(delivery_id, invocation_id, function_name, status, url, now_ms): create the
-- callback delivery of an invocation that has just finished with `status`, due at once. The script
-- that finishes the invocation calls it, so a result is never stored without its callback.
local function create_delivery(delivery_id, invocation_id, function_name, status, url, now_ms)
  redis.call('HSET', key_delivery(delivery_id),
    'status', 'pending', 'invocation', invocation_id, 'function', function_name,
    'outcome', status, 'url', url, 'created_at', now_ms, 'next_at', now_ms,
    'attempt', 0, 'step', 0)
  redis.call('ZADD', key_deliveries('pending'), now_ms, delivery_id)
  redis.call('ZADD', key_deliveries_due(), now_ms, delivery_id)
  if redis.call('EXISTS', key_delivery_wake()) == 0 then
    redis.call('RPUSH', key_delivery_wake(), '1')
  end
end
