-- touch_api_keys: keys were used just now.
--
-- ARGV     ids...
-- RETURNS  how many of them there still are
-- MOST     4 steps
-- WHY ONE SCRIPT  a key that was revoked meanwhile must not come back as a field without a key.
-- include: clock
local now, noted = now_ms(), 0
for at = rest, #ARGV do
  if redis.call('EXISTS', key_api_key(ARGV[at])) == 1 then
    redis.call('HSET', key_api_key(ARGV[at]), 'used_at', now)
    noted = noted + 1
  end
end
return noted
