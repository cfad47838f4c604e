-- is_valid(api_key, now): whether a key is there and has not expired; a score of 0 is never.
local function is_valid(api_key, now)
  local until_ms = redis.call('ZSCORE', key_api_keys(), api_key)
  return until_ms and (until_ms == '0' or tonumber(until_ms) > now)
end
