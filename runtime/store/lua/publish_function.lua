-- publish_function: let a version of a function serve, with its manifest and source.
--
-- ARGV     name, manifest, version, source, superseded_ttl_ms, queue, limits
--          limits is "concurrency count per_ms" with 0 for none, '' without any
-- RETURNS  CHANGED | SAME
-- WHY ONE SCRIPT  a gateway that hears the news must find a manifest, the version it
--                 speaks of and that version's source together; never two of three.
-- include: release_source

local before = redis.call('HGET', key_versions(), name)
local is_same = before == version
  and redis.call('HGET', key_functions(), name) == manifest
  and redis.call('GET', key_source(version)) == source
  and redis.call('PTTL', key_source(version)) == -1
if is_same then
  return 'SAME'
end

redis.call('SET', key_source(version), source)
redis.call('HSET', key_versions(), name, version)
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
redis.call('PUBLISH', key_news(), '')
return 'CHANGED'
