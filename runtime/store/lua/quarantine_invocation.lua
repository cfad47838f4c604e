-- quarantine_invocation: set aside an invocation that its worker has claimed but cannot read.
--
-- ARGV     id, queue, function_name, worker, reason
-- RETURNS  OK | STALE
-- MOST     80 steps
-- WHY ONE SCRIPT  another worker may have taken it over meanwhile.
-- include: clock
-- include: finish_record
-- include: damaged_records
local f = redis.pcall('HMGET', key_record(id), 'status', 'worker')
if f[1] and (f[1] ~= 'running' or f[2] ~= worker) then
  return 'STALE'
end
local now = now_ms()
set_aside(id, reason, now, { queue = queue, function_name = function_name, is_running = true })
write_moves(now)
return 'OK'
