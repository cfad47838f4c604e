-- read_delivery: read a delivery and its attempts.
--
-- ARGV     delivery_id
-- RETURNS  {invocation or batch, outcome, url, status, next_at, attempts…} or an empty list
-- MOST     2 steps, and 100 attempts
-- WHY ONE SCRIPT  an attempt that is stored between two reads would not agree with the status.
local d = redis.pcall('HMGET', key_delivery(delivery_id), 'invocation', 'outcome', 'url', 'status', 'next_at')
if not d[4] then
  return {}
end
return { d[1] or '', d[2] or '', d[3] or '', d[4], d[5] or '',
  unpack(redis.call('LRANGE', key_attempts(delivery_id), -100, -1)) }  -- at most 100
