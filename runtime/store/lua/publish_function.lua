-- publish_function: make a version of a function serve, with its manifest, source and schedule.
--
-- ARGV     name, manifest, version, source, superseded_ttl_ms, queue, limits, cron, timezone
--          limits is "concurrency count per_ms" with 0 for none, '' without any; cron is '' if the
--          function has no schedule of its own
-- RETURNS  CHANGED | SAME
-- MOST     20 steps, and a look at the version of each function
-- WHY ONE SCRIPT  a gateway that gets the notice must find the manifest, its version and that
--                 version's source, never two of three; and a tick must not fire a schedule that
--                 the function no longer declares.
-- include: clock
-- include: release_source
-- include: schedules

local before = redis.call('HGET', key_versions(), name)
local is_same = before == version
  and redis.call('HGET', key_functions(), name) == manifest
  and redis.call('GET', key_source(version)) == source
  and redis.call('PTTL', key_source(version)) == -1
  and is_declared(name, cron, timezone)
if is_same then
  return 'SAME'
end

redis.call('SET', key_source(version), source)
redis.call('HSET', key_versions(), name, version)
if before ~= version then
  redis.call('HSET', key_published(), name, now_ms())
end
redis.call('HSET', key_functions(), name, manifest)
redis.call('SADD', key_queues(), queue)
if limits == '' then
  redis.call('HDEL', key_limits(), name)
else
  redis.call('HSET', key_limits(), name, limits)
end
if before and before ~= version then
  release_source(before, superseded_ttl_ms)
end
declare_schedule(name, cron, timezone, now_ms())
redis.call('PUBLISH', key_news(), '')
return 'CHANGED'
