-- read_session: read the API key of a session, if both are still valid.
--
-- ARGV     digest
-- RETURNS  {now in ms, when the session ends, {id, expires_at or 0, key as HGETALL}} or {}
-- MOST     4 steps
-- WHY ONE SCRIPT  a session and its key must be checked at the same moment.
-- include: clock
-- include: api_keys
local now = now_ms()
local api_key = redis.call('GET', key_session(digest))
if not api_key or not is_valid(api_key, now) then
  return {}
end
return { now, now + redis.call('PTTL', key_session(digest)), {
  api_key, tonumber(redis.call('ZSCORE', key_api_keys(), api_key)),
  redis.call('HGETALL', key_api_key(api_key)),
} }
