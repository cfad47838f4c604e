-- cancel_invocation: finish a waiting invocation at once; order a running one's worker to stop it.
--
-- ARGV     id, ttl_ms, owner
--          owner is the caller that must own it; '' is anyone
-- RETURNS  CANCELLED | CANCELLING | FINISHED | MISSING
-- MOST     60 steps
-- WHY ONE SCRIPT  the invocation may be claimed or finish between a read and a write.
-- include: clock
-- include: lanes
-- include: record_facts
-- include: finish_record
-- include: damaged_records
local now = now_ms()

local function cancel()
  local was = read_facts(id)
  local status = was.status
  if was.created_at == 0 and not was.function_name
    or owner ~= '' and redis.call('HGET', key_record(id), 'caller') ~= owner then
    return 'MISSING'
  end
  check_facts(was)
  if status == 'running' then
    check_running(was)
    redis.call('HSET', key_record(id), 'cancelling', '1')
    -- Only this worker reads the list, and the token names the attempt.
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
  finish(id, was, 'cancelled', tonumber(ttl_ms), now, {})
  return 'CANCELLED'
end

local is_sound, word = pcall(cancel)
if not is_sound then
  set_aside(id, word, now, { in_lane = true })
  word = redis.pcall('HEXISTS', key_record(id), 'status') == 1 and 'FINISHED' or 'MISSING'
end
write_moves(now)
return word
