-- touch_api_keys: record that keys were used now.
--
-- ARGV     ids...
-- RETURNS  how many of them still exist
-- MOST     4 steps
-- WHY ONE SCRIPT  a key that was revoked meanwhile must not come back as a hash of one field.
-- include: clock
local now, noted = now_ms(), 0
for at = rest, #ARGV do
  if redis.call('EXISTS', key_api_key(ARGV[at])) == 1 then
    redis.call('HSET', key_api_key(ARGV[at]), 'used_at', now)
    noted = noted + 1
  end
end
return noted
