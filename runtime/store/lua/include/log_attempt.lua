-- log_attempt(delivery_id, entry): append a JSON line to a delivery's attempts; the last 100 are
-- kept.
local function log_attempt(delivery_id, entry)
  redis.call('RPUSH', key_attempts(delivery_id), entry)
  redis.call('LTRIM', key_attempts(delivery_id), -100, -1)
end
