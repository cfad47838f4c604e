-- quarantine_invocation: a worker cannot read what it has claimed: it is set aside, and its lease with it.
--
-- ARGV     id, queue, function_name, worker, reason
-- RETURNS  OK | STALE
-- MOST     80 steps
-- WHY ONE SCRIPT  somebody else may have taken it over meanwhile.
-- include: clock
-- include: finish_record
-- include: quarantine
local f = redis.pcall('HMGET', key_record(id), 'status', 'worker')
if f[1] and (f[1] ~= 'running' or f[2] ~= worker) then
  return 'STALE'
end
local now = now_ms()
set_aside(id, reason, now, { queue = queue, function_name = function_name, is_running = true })
write_moves(now)
return 'OK'
