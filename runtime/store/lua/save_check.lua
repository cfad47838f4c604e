-- save_check: store a check's progress and findings, and extend its worker's lease.
--
-- ARGV     id, worker, lease_ms, interval_ms, kept_ms, is_last, looked_at, findings...
--          a finding is 5 values, see include/findings.lua; at most 500 findings
-- RETURNS  DONE | LOST
--          LOST: another worker has taken over
-- MOST     500 findings of 3 steps each
-- WHY ONE SCRIPT  a worker that has lost its lease must not write into the check of another.
-- include: clock
local KEPT = 1000
local now = now_ms()
local key, list = key_check(id), key_check_findings(id)
if redis.call('HGET', key_checks(), 'running') ~= id
  or redis.call('HGET', key, 'worker') ~= worker then
  return 'LOST'
end
redis.call('HSET', key, 'looked_at', looked_at)
for at = rest, #ARGV, 5 do
  redis.call('HINCRBY', key, 'found:' .. ARGV[at], 1)
  if ARGV[at + 4] == '1' then
    redis.call('HINCRBY', key, 'mended:' .. ARGV[at], 1)
  end
  redis.call('RPUSH', list, cjson.encode({
    kind = ARGV[at], id = ARGV[at + 1], is = ARGV[at + 2], should = ARGV[at + 3],
    repaired = ARGV[at + 4] == '1',
  }))
end
redis.call('LTRIM', list, 0, KEPT - 1)
redis.call('PEXPIRE', key, kept_ms)
redis.call('PEXPIRE', list, kept_ms)
if is_last == '1' then
  redis.call('HSET', key, 'finished_at', now)
  redis.call('HDEL', key_checks(), 'running', 'lease_until')
  redis.call('LPUSH', key_checks_ended(), id)
  redis.call('LTRIM', key_checks_ended(), 0, 9)
  redis.call('HSET', key_checks(), 'last', id, 'next_at', now + interval_ms)
  if redis.call('EXISTS', key_checks_wanted()) == 1
    and redis.call('EXISTS', key_checks_wake()) == 0 then
    redis.call('RPUSH', key_checks_wake(), '1')
  end
else
  redis.call('HSET', key_checks(), 'lease_until', now + lease_ms)
end
return 'DONE'
