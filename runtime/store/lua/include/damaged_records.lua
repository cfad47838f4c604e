-- Quarantine. An invocation that a script cannot process, because its record is gone or damaged, is
-- set aside: removed from every set that other scripts read it from, and listed for operators
-- (/readyz, /metrics). The script goes on with its other invocations.
--
-- What is left of the record finishes as `failed`, as if it had been claimed and ended in one step:
-- waiting callers get a result, its batch can finish, and delete_expired removes the rest.
-- include: lanes
-- include: record_facts
-- include: broken_list
-- include: finish_record
-- include: release_running
local BROKEN_KEPT_MS = 604800000

-- check_whole(values, names): raise an error unless all named fields have values; '' is not
-- checked.
local function check_whole(values, names)
  local missing = {}
  local count = 0
  for i, name in ipairs(names) do
    if name ~= '' then
      count = count + 1
      if not values[i] then
        missing[#missing + 1] = name
      end
    end
  end
  if #missing == count then
    error('its record is gone', 0)
  end
  if #missing > 0 then
    error('its record lacks ' .. table.concat(missing, ', '), 0)
  end
end

-- check_facts(was): raise an error unless a record has what every move needs; `was` comes from
-- read_facts.
local function check_facts(was)
  check_whole({ was.status, was.function_name, was.queue, was.created_at ~= 0 and was.created_at },
    { 'status', 'function', 'queue', 'created_at' })
  if not was.priority then
    error('its priority is no number', 0)
  end
end

-- check_running(was): as check_facts, and also what the end of an attempt needs.
local function check_running(was)
  check_facts(was)
  check_whole({ true, was.token, was.attempt, tonumber(was.started_at or ''), was.worker },
    { 'status', 'token', 'attempt', 'started_at', 'worker' })
end

-- created_at_of(id): the time in ms with which a UUIDv7 begins.
local function created_at_of(id)
  return tonumber(string.sub(id, 1, 8) .. string.sub(id, 10, 13), 16)
end

-- mend(id, was, place, now): fill in the facts that `finish` needs and the fields that readers of
-- the record need.
local function mend(id, was, place, now)
  local fields = {}
  if not was.function_name then
    was.function_name = place.function_name or 'unknown'
    fields[1], fields[2] = 'function', was.function_name
  end
  if not was.queue then
    was.queue = place.queue or 'default'
    fields[#fields + 1] = 'queue'
    fields[#fields + 1] = was.queue
  end
  if not was.created_at or was.created_at == 0 then
    was.created_at = created_at_of(id) or now
    fields[#fields + 1] = 'created_at'
    fields[#fields + 1] = string.format('%.0f', was.created_at)
  end
  was.scheduled_for = tonumber(was.scheduled_for or '')
  was.started_at = tonumber(was.started_at or '')
  if not was.started_at and was.status == 'running' then
    was.status = 'queued'
  end
  if #fields > 0 then
    redis.call('HSET', key_record(id), unpack(fields))  -- at most 6
  end
end

-- end_damaged(id, was, place, reason, now): finish a damaged invocation as `failed`.
local function end_damaged(id, was, place, reason, now)
  local said = { type = 'record_damaged', message = 'the record was damaged: ' .. reason }
  local text = string.gsub(cjson.encode(said), '}$', ',"traceback":null}')
  mend(id, was, place, now)
  finish(id, was, 'failed', BROKEN_KEPT_MS, now, { 'error', text })
end

-- leave_unknown(id): remove an id from the running sets of all functions if its function is
-- unknown.
local function leave_unknown(id)
  for at, name in ipairs(redis.call('HKEYS', key_limits())) do
    if at > 1000 then
      break
    end
    redis.call('SREM', key_running(name), id)
  end
end

local ENDED = { succeeded = true, failed = true, cancelled = true, expired = true }

-- set_aside(id, problem, now, place): quarantine an invocation. `place` says where the id was
-- found, as far as known: queue, function_name; is_running if it was leased; in_lane if it may
-- still be in a lane. The script must call write_moves() afterwards.
local function set_aside(id, problem, now, place)
  local reason = reason_of(problem)
  local is_hash, was = pcall(read_facts, id)
  if not is_hash then
    was = {}
  end
  local about = {
    queue = was.queue or place.queue, function_name = was.function_name or place.function_name,
  }
  note_broken(id, about, reason, now)
  if place.is_running or was.status == 'running' then
    leave_running(id, about)
    if not about.function_name then
      leave_unknown(id)
    end
    if not about.queue then
      redis.call('SET', key_miscounted(), '1')
    end
  end
  if place.in_lane and about.queue and about.function_name then
    pcall(take_from_lane, about.queue, about.function_name, was.key or '', id)
  end
  redis.call('ZREM', key_expiring(), id)
  for _, index in ipairs({ 'live', 'scheduled', 'retrying' }) do
    remove_member(key_index(index), id)
    if about.function_name then
      remove_member(key_index(index .. ':' .. about.function_name), id)
    end
  end
  if about.queue then
    redis.call('ZREM', key_due(about.queue), id)
  end
  local record = key_record(id)
  if is_hash and not ENDED[was.status] and redis.call('EXISTS', record) == 1
    and not pcall(end_damaged, id, was, place, reason, now) then
    -- The record cannot be finished; at least its status and its retention are written.
    pcall(redis.call, 'HSET', record, 'status', 'failed', 'finished_at', now)
    redis.call('PEXPIRE', record, BROKEN_KEPT_MS)
    add_member(key_retention(), now + BROKEN_KEPT_MS, id)
  end
end

-- put_back(queue, id): return an invocation to its lane that was taken out but not started.
local function put_back(queue, id)
  local was = read_facts(id)
  check_facts(was)
  put_in_lane(queue, was.function_name, was.key, id, urgency(was.priority, was.created_at))
end
