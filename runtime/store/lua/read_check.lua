-- read_check: read a check and its findings.
--
-- ARGV     id, most
--          '' is the last finished check
-- RETURNS  {id or '', check as HGETALL, {findings as JSON…}}
-- MOST     1,000 findings
-- WHY ONE SCRIPT  one round trip, and findings that agree with the counts.
if id == '' then
  id = redis.call('HGET', key_checks(), 'last') or ''
end
local all = id ~= '' and redis.call('HGETALL', key_check(id)) or {}
if #all == 0 then
  return { '', {}, {} }
end
return { id, all, redis.call('LRANGE', key_check_findings(id), 0, most - 1) }
