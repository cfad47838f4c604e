-- fire_schedule_now: invoke a schedule's function now, on request.
--
-- ARGV     id, invocation, version, queue, priority, max_age_ms, max_waiting, secrets
-- RETURNS  {NEW | FULL | MISSING, created_at or how many wait, arguments}
-- MOST     30 steps
-- WHY ONE SCRIPT  the schedule must exist and must record the invocation as its last one.
-- include: clock
-- include: create_invocation
-- include: schedule_fire
if not redis.call('ZSCORE', key_schedules(), id) then
  return { 'MISSING', 0, '' }
end
local f = redis.call('HMGET', key_schedule(id), 'function', 'arguments')
local now = now_ms()
local fate, waiting = invoke(id, {
  function_name = f[1], arguments = f[2], version = version, queue = queue,
  priority = tonumber(priority), max_age_ms = tonumber(max_age_ms),
  max_waiting = tonumber(max_waiting), secrets = secrets,
}, invocation, now, '')
if fate ~= 'NEW' then
  return { 'FULL', waiting, '' }
end
return { 'NEW', now, f[2] }
