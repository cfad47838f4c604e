-- is_valid(api_key, now): whether an API key exists and has not expired. Score 0 means no expiry.
local function is_valid(api_key, now)
  local until_ms = redis.call('ZSCORE', key_api_keys(), api_key)
  return until_ms and (until_ms == '0' or tonumber(until_ms) > now)
end
