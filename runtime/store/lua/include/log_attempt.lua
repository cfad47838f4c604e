-- log_attempt(delivery_id, entry): one line, JSON, in a delivery's history; the last hundred stay.
local function log_attempt(delivery_id, entry)
  redis.call('RPUSH', key_attempts(delivery_id), entry)
  redis.call('LTRIM', key_attempts(delivery_id), -100, -1)
end
