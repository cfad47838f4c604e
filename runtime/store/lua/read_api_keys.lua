-- read_api_keys: read one API key, or all.
--
-- ARGV     id
--          '' reads every key
-- RETURNS  {now in ms, {id, expires_at or 0, key as HGETALL}…}
-- MOST     2 steps a key; there are at most 1,000
-- WHY ONE SCRIPT  one round trip, and the time with which expiry is compared.
-- include: clock
local reply = { now_ms() }
local function add(one, expires_at)
  reply[#reply + 1] = { one, tonumber(expires_at), redis.call('HGETALL', key_api_key(one)) }
end
if id ~= '' then
  local expires_at = redis.call('ZSCORE', key_api_keys(), id)
  if expires_at then
    add(id, expires_at)
  end
  return reply
end
local all = redis.call('ZRANGE', key_api_keys(), 0, -1, 'WITHSCORES')
for i = 1, #all, 2 do
  add(all[i], all[i + 1])
end
return reply
