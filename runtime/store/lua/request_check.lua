-- request_check: request a check; an idle worker will run it.
--
-- ARGV     id, repair, kept_ms
-- RETURNS  the id of the check that will answer: this one, or one of the same kind that still waits
-- MOST     10 waiting checks of 2 steps each
-- WHY ONE SCRIPT  two requests at the same time must share one check.
-- include: clock
local now = now_ms()
for _, waiting in ipairs(redis.call('LRANGE', key_checks_wanted(), 0, 9)) do
  if redis.call('HGET', key_check(waiting), 'repair') == repair then
    return waiting
  end
end
redis.call('HSET', key_check(id), 'repair', repair, 'asked_at', now)
redis.call('PEXPIRE', key_check(id), kept_ms)
redis.call('RPUSH', key_checks_wanted(), id)
if redis.call('EXISTS', key_checks_wake()) == 0 then
  redis.call('RPUSH', key_checks_wake(), '1')
end
return id
