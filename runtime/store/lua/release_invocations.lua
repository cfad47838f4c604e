-- release_invocations: a worker gives back what it claimed and will not finish.
--
-- ARGV     entries...
--          an entry is 3 values: id, token, 1 if it had begun else 0
-- RETURNS  how many went back to their lanes
-- WHY ONE SCRIPT  the lease may have been taken over meanwhile; only its holder may give it back.
-- An attempt that was not begun is not counted; the token stays spent.
-- include: clock
-- include: lanes
-- include: create_delivery
-- include: finish
-- include: lose
local released = 0
for at = rest, #ARGV, 3 do
  local id = ARGV[at]
  local was = read_running(id)
  if was and was.token == ARGV[at + 1] then
    redis.call('HINCRBY', key_record(id), 'attempt', tonumber(ARGV[at + 2]) - 1)
    redis.call('HSET', key_record(id), 'status', 'queued')
    redis.call('HINCRBY', key_queue(was.queue), 'running', -1)
    redis.call('ZREM', key_leases(), id)
    put_in_lane(was.queue, was.lane, id, urgency(was.priority, was.created_at))
    released = released + 1
  end
end
return released
