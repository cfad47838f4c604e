-- unpublish_function: remove a function and its own schedule. Its source is kept for a while, for
-- running attempts.
--
-- ARGV     name, superseded_ttl_ms
-- RETURNS  CHANGED | SAME
-- MOST     12 steps, and a look at the version of each function
-- WHY ONE SCRIPT  manifest and version must be removed together, or a call could be accepted for a
--                 function without a manifest.
-- include: release_source
-- include: schedules

local before = redis.call('HGET', key_versions(), name)
local removed = redis.call('HDEL', key_functions(), name) + redis.call('HDEL', key_versions(), name)
redis.call('HDEL', key_limits(), name)
redis.call('HDEL', key_published(), name)
withdraw_schedule(name)
if removed == 0 then
  return 'SAME'
end
if before then
  release_source(before, superseded_ttl_ms)
end
redis.call('PUBLISH', key_news(), '')
return 'CHANGED'
