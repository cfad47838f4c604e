-- read_checks: read the checks that are requested, the one that runs and the last ten finished.
--
-- ARGV
-- RETURNS  {id, check as HGETALL}…: requested, running, then finished ones, the latest first
-- MOST     21 checks
-- WHY ONE SCRIPT  one round trip, and a check that changes its state meanwhile is not missed.
local ids = redis.call('LRANGE', key_checks_wanted(), -10, -1)
ids[#ids + 1] = redis.call('HGET', key_checks(), 'running') or nil
for _, id in ipairs(redis.call('LRANGE', key_checks_ended(), 0, 9)) do
  ids[#ids + 1] = id
end
local reply = {}
for _, id in ipairs(ids) do
  local all = redis.call('HGETALL', key_check(id))
  if #all > 0 then
    reply[#reply + 1] = { id, all }
  end
end
return reply
