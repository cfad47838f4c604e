-- open_session: start a session for a caller that has shown a valid API key.
--
-- ARGV     digest, api_key, longest_ms
-- RETURNS  how long it lasts in ms; 0 if the key is not valid
-- MOST     6 steps
-- WHY ONE SCRIPT  a session must not outlive a key that is revoked between the check and the write.
-- include: clock
-- include: api_keys
local now = now_ms()
if not is_valid(api_key, now) then
  return 0
end
local lasts_ms = tonumber(longest_ms)
local expires_at = tonumber(redis.call('ZSCORE', key_api_keys(), api_key))
if expires_at > 0 then
  lasts_ms = math.min(lasts_ms, expires_at - now)
end
redis.call('SET', key_session(digest), api_key, 'PX', lasts_ms)
return lasts_ms
