-- cancel_invocation: a waiting one ends at once; a running one's worker is told to kill it.
--
-- ARGV     id, ttl_ms, owner
--          owner is whose it must be; '' is anybody's
-- RETURNS  CANCELLED | CANCELLING | FINISHED | MISSING
-- WHY ONE SCRIPT  it may be claimed or end while we look.
-- include: clock
-- include: lanes
-- include: create_delivery
-- include: gather
-- include: tally
-- include: finish
local was = read_facts(id)
local status = was.status
if not status or (owner ~= '' and redis.call('HGET', key_record(id), 'caller') ~= owner) then
  return 'MISSING'
end
if status == 'running' then
  redis.call('HSET', key_record(id), 'cancelling', '1')
  local control = key_control(was.worker)
  redis.call('RPUSH', control, 'cancel ' .. id .. ' ' .. was.token)
  redis.call('PEXPIRE', control, 60000)
  return 'CANCELLING'
end
if status ~= 'queued' and status ~= 'scheduled' and status ~= 'retrying' then
  return 'FINISHED'
end
redis.call('HSET', key_record(id), 'cancelling', '1')
take_from_lane(was.queue, was.function_name, was.key, id)
redis.call('ZREM', key_due(was.queue), id)
local now = now_ms()
finish(id, was, 'cancelled', tonumber(ttl_ms), now, {})
write_gathered()
write_tally(now)
return 'CANCELLED'
