-- revoke_api_key: revoke an API key and notify every gateway.
--
-- ARGV     id, secrets_kept_ms
-- RETURNS  its name, or '' if there is no such key
-- MOST     12 steps
-- WHY ONE SCRIPT  a half-deleted key might still be valid, or could not be revoked again.
--
-- No write here is one that a full Redis refuses, so a key can always be revoked. The callback
-- secrets of a name without keys are kept for a while: deliveries may still be in flight.
local name = redis.call('HGET', key_api_key(id), 'name')
redis.call('ZREM', key_api_keys(), id)
redis.call('DEL', key_api_key(id))
if not name then
  return ''
end
local is_held = false
for _, other in ipairs(redis.call('ZRANGE', key_api_keys(), 0, -1)) do
  is_held = is_held or redis.call('HGET', key_api_key(other), 'name') == name
end
if not is_held then
  redis.call('PEXPIRE', key_caller(name), secrets_kept_ms)
end
redis.call('PUBLISH', key_access_news(), '-' .. id)
return name
