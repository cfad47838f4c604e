-- take_check: a worker asks whether a check is to be run; if so, this worker runs it.
--
-- ARGV     worker, lease_ms, interval_ms, kept_ms, own_id
--          own_id is the id of the daily check, used if it is due
-- RETURNS  {id or '', 1 if it repairs else 0, ms until to ask again}
-- MOST     20 steps
-- WHY ONE SCRIPT  only one worker may run a check; if it dies, only one other may take over.
-- include: clock
local now = now_ms()
local c = redis.call('HMGET', key_checks(), 'running', 'lease_until', 'next_at')
local next_at = tonumber(c[3] or '0')
if next_at == 0 or next_at > now + 2 * interval_ms then
  next_at = now + interval_ms
  redis.call('HSET', key_checks(), 'next_at', next_at)
end
local lease_until = tonumber(c[2] or '0')
if c[1] and lease_until > now then
  return { '', 0, lease_until - now }
end

local id = c[1] and redis.call('EXISTS', key_check(c[1])) == 1 and c[1]
  or redis.call('LPOP', key_checks_wanted())
if not id and next_at <= now then
  id = own_id
end
if not id then
  return { '', 0, next_at - now }
end
redis.call('HSET', key_checks(), 'running', id, 'lease_until', now + lease_ms)
-- A check whose worker died starts again from nothing.
local repair = redis.call('HGET', key_check(id), 'repair') == '1' and '1' or '0'
redis.call('DEL', key_check(id), key_check_findings(id))
redis.call('HSET', key_check(id), 'repair', repair, 'worker', worker, 'started_at', now)
redis.call('PEXPIRE', key_check(id), kept_ms)
return { id, tonumber(repair), 0 }
