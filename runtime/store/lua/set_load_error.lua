-- set_load_error: replace a function's manifest; the version that serves does not change.
--
-- ARGV     name, manifest
-- RETURNS  CHANGED | SAME
-- MOST     6 steps
-- WHY ONE SCRIPT  the notice must not arrive before the manifest that it announces.

if redis.call('HGET', key_functions(), name) == manifest then
  return 'SAME'
end
redis.call('HSET', key_functions(), name, manifest)
redis.call('PUBLISH', key_news(), '')
return 'CHANGED'
