-- Invocations and throttled functions whose due time has come.
-- include: counting
-- include: lanes
-- include: record_facts
-- include: finish_record
-- include: notices
-- include: damaged_records
-- fall_due(queue, id, now): move a due invocation into its lane, as queued.
local function fall_due(queue, id, now)
  local at = tonumber(redis.call('ZSCORE', key_due(queue), id))
  local was = read_facts(id)
  check_facts(was)
  if was.status ~= 'scheduled' and was.status ~= 'retrying' then
    return
  end
  put_in_lane(queue, was.function_name, was.key, id, urgency(was.priority, at))
  redis.call('HSET', key_record(id), 'status', 'queued')
  redis.call('ZREM', key_index(was.status), id)
  redis.call('ZREM', key_index(was.status .. ':' .. was.function_name), id)
  redis.call('ZADD', key_index('live'), 0, id)
  redis.call('ZADD', key_index('live:' .. was.function_name), 0, id)
  if was.batch then
    move_in_batch(was.batch, was.status, 'queued')
  end
  notify_watchers(id, was.watchers)
end

-- let_due_wait(queue, now): move up to 100 due invocations into their lanes, and let up to 100
-- throttled functions take turns again. The first write is one that a full Redis refuses, so a
-- refusal changes nothing.
local function let_due_wait(queue, now)
  add_to_count(key_queue(queue), 'claims', 1)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key_due(queue), '-inf', now, 'LIMIT', 0, 100)) do
    local is_sound, reason = pcall(fall_due, queue, id, now)
    if not is_sound then
      set_aside(id, reason, now, { queue = queue })
    end
    redis.call('ZREM', key_due(queue), id)
  end
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', key_held(queue), '-inf', now, 'LIMIT', 0, 100)) do
    resume_function(queue, name)
  end
end
