-- create_api_key: store a key, and its name's callback secret if that is missing or to be replaced.
--
-- ARGV     id, name, digest, scopes, rate, lifetime_ms, callback_secret, replaces_secret, outlived_kept_ms
--          lifetime_ms 0 means no expiry; replaces_secret makes callback_secret the newest of two
-- RETURNS  {created_at, expires_at or 0, 1 if the callback secret was stored else 0}
-- MOST     12 steps
-- WHY ONE SCRIPT  the lifetime is counted by Redis's clock; and of two keys created at once for a
--                 new name only one may set the name's secret.
-- include: clock
local now = now_ms()
local expires_at = 0
if lifetime_ms ~= '0' then
  expires_at = now + tonumber(lifetime_ms)
end
redis.call('HSET', key_api_key(id), 'name', name, 'digest', digest, 'scopes', scopes,
  'rate', rate, 'created_at', now)
redis.call('ZADD', key_api_keys(), expires_at, id)

local secrets = redis.call('HMGET', key_caller(name), 'newest', 'older')
local takes = not secrets[1] or replaces_secret ~= ''
if takes then
  redis.call('HSET', key_caller(name), 'newest', callback_secret, 'older', secrets[1] or '')
end
redis.call('PERSIST', key_caller(name))

-- Keys that expired more than outlived_kept_ms ago are deleted here.
local outlived = redis.call('ZRANGEBYSCORE', key_api_keys(), 1, now - outlived_kept_ms)
for _, old in ipairs(outlived) do
  redis.call('DEL', key_api_key(old))
  redis.call('ZREM', key_api_keys(), old)
end
return { now, expires_at, takes and 1 or 0 }
