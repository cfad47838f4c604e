-- What a tick does: invoke the schedule's function, or record a skip.
local SKIPS_KEPT = 100

-- invoke(id, s, invocation, now, moment): invoke a schedule's function. `s` has function_name,
-- arguments, version, queue, secrets and the numbers priority, max_age_ms and max_waiting (0:
-- none). Returns NEW, or 'full' and how many wait. `moment` is the due time, '' if fired by hand.
local function invoke(id, s, invocation, now, moment)
  if s.max_waiting > 0 then
    local waiting = tonumber(redis.call('HGET', key_waiting(), s.function_name)) or 0
    if waiting >= s.max_waiting then
      return 'full', waiting
    end
  end
  local tag, record = 'schedule:' .. id, key_record(invocation)
  redis.call('HSET', record, 'function', s.function_name, 'queue', s.queue, 'created_at', now,
    'status', 'queued', 'version', s.version, 'arguments', s.arguments, 'tags', cjson.encode({ tag }))
  if moment ~= '' then
    redis.call('HSET', record, 'scheduled_for', moment)
  end
  if s.priority ~= 5 then
    redis.call('HSET', record, 'priority', s.priority)
  end
  if s.secrets ~= '' then
    redis.call('HSET', record, 'secrets', s.secrets)
  end
  give_place(invocation, now, {
    function_name = s.function_name, queue = s.queue, priority = s.priority, tags = tag,
    max_age_ms = s.max_age_ms > 0 and s.max_age_ms or nil,
  })
  write_created(s.queue, s.function_name)
  redis.call('HSET', key_schedule(id), 'last_invocation', invocation)
  redis.call('HINCRBY', key_schedule(id), 'fired', 1)
  return 'NEW'
end

-- is_unfinished(invocation): whether an invocation exists and has not finished.
local function is_unfinished(invocation)
  local f = redis.call('HMGET', key_record(invocation), 'status', 'finished_at')
  return f[1] and not f[2]
end

-- note_skip(id, moment, reason): record a due time at which nothing was invoked.
local function note_skip(id, moment, reason)
  redis.call('HINCRBY', key_schedule(id), 'skipped', 1)
  redis.call('LPUSH', key_skips(id), moment .. ' ' .. reason)
  redis.call('LTRIM', key_skips(id), 0, SKIPS_KEPT - 1)
end
