-- set_load_error: replace a function's manifest; what serves stays what it is.
--
-- ARGV     name, manifest
-- RETURNS  CHANGED | SAME
-- MOST     6 steps
-- WHY ONE SCRIPT  the news must not be heard before the manifest it is about is there.

if redis.call('HGET', key_functions(), name) == manifest then
  return 'SAME'
end
redis.call('HSET', key_functions(), name, manifest)
redis.call('PUBLISH', key_news(), '')
return 'CHANGED'
