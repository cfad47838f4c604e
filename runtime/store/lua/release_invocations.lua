-- release_invocations: a worker returns invocations that it claimed and will not finish.
--
-- ARGV     worker, cancelled_ttl_ms, entries...
--          an entry is 3 values: id, token, 1 if the attempt had begun else 0
-- RETURNS  how many were released
-- MOST     40 steps an entry; the worker sends all that it holds
-- WHY ONE SCRIPT  the lease may have been taken over meanwhile; only its holder may release it.
-- An attempt that had not begun is not counted, but its token is not used again. A damaged record
-- is set aside; the others go on.
-- include: clock
-- include: record_facts
-- include: finish_record
-- include: release_running
-- include: lost_attempts
-- include: history
-- include: damaged_records
local now = now_ms()
local released = 0

local function give_back(id, token, has_begun)
  local was = read_facts(id)
  if was.status ~= 'running' or was.token ~= token or was.worker ~= worker then
    return false
  end
  check_running(was)
  redis.call('HINCRBY', key_record(id), 'attempt', has_begun and 0 or -1)
  leave_running(id, was)
  if has_begun then
    note_attempt(id, was, now, 'given_back', '')
  end
  if was.is_cancelling then
    finish(id, was, 'cancelled', tonumber(cancelled_ttl_ms), now, {})
  else
    wait_again(id, was, now)
  end
  return true
end

for at = rest, #ARGV, 3 do
  local is_sound, is_back = pcall(give_back, ARGV[at], ARGV[at + 1], ARGV[at + 2] == '1')
  if not is_sound then
    set_aside(ARGV[at], is_back, now, { is_running = true })
  elseif is_back then
    released = released + 1
  end
end
write_moves(now)
return released
