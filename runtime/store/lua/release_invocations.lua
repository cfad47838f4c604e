-- release_invocations: a worker gives back what it claimed and will not finish.
--
-- ARGV     cancelled_ttl_ms, entries...
--          an entry is 3 values: id, token, 1 if it had begun else 0
-- RETURNS  how many went back to their lanes
-- WHY ONE SCRIPT  the lease may have been taken over meanwhile; only its holder may give it back.
-- An attempt that was not begun is not counted; the token stays spent.
-- include: clock
-- include: lanes
-- include: create_delivery
-- include: gather
-- include: tally
-- include: finish
-- include: leave
local now = now_ms()
local released = 0
for at = rest, #ARGV, 3 do
  local id = ARGV[at]
  local was = read_facts(id)
  if was.status == 'running' and was.token == ARGV[at + 1] then
    redis.call('HINCRBY', key_record(id), 'attempt', tonumber(ARGV[at + 2]) - 1)
    leave_running(id, was)
    if ARGV[at + 2] == '1' then
      note_attempt(id, was, now, 'given_back', '')
    end
    if was.is_cancelling then
      finish(id, was, 'cancelled', tonumber(cancelled_ttl_ms), now, {})
    else
      redis.call('HSET', key_record(id), 'status', 'queued')
      put_in_lane(was.queue, was.function_name, was.key, id, urgency(was.priority, was.created_at))
      if was.batch then
        count_in_batch(was.batch, now, 'running', 'queued')
      end
      poke(id, was.watchers)
    end
    released = released + 1
  end
end
write_gathered()
write_tally(now)
return released
