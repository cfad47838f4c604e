-- settle_invocations: store how some attempts ended, with everything that follows from it.
--
-- ARGV     worker, poison_limit, failure_ttl_ms, entries...
--          an entry is 10 values: id, token, status (succeeded, failed, retrying, lost, cancelled),
--          ttl_ms, retry_after_ms, result_type, media_type, result, error, logs
-- RETURNS  for each entry DONE | STALE | REPEATED | BROKEN
--          BROKEN: the record is damaged, and was set aside
-- MOST     50 steps an entry; its caller sends at most 64
-- WHY ONE SCRIPT  a result from a worker that has lost its lease must change nothing; and the
--                 status, the lease, the statistics, the notices and the callback must change
--                 together.
-- An attempt is identified by its token and its worker: after Redis was restored from an earlier
-- state, two workers may hold the same token. A damaged record is set aside; the others go on.
-- include: clock
-- include: finish_record
-- include: release_running
-- include when needed: record_facts
-- include when needed: lost_attempts
-- include when needed: damaged_records
local now = now_ms()
local replies = {}
-- The facts of the current attempt: one table, reused for every entry.
local facts = {
  status = 'running', function_name = '', queue = '', created_at = '', attempt = '', started_at = '',
  version = '', worker = '', waiters = '', caller = '', batch = '', callback = '', scheduled_for = '',
  expires_at = '', watchers = '', notified_fields = '',
}
local NOTHING = { false, false, false, false, false, false, false, false }

-- facts_of(record, f): what finishing a running record needs, of which `f` was read; nil if one of
-- the first eight is missing. Every running record has ten fields: its arguments and the first nine
-- of `f`. Many also have a waiter, a caller and a trace, the rest of `f`. Only if HLEN counts more
-- fields, the rare ones are read: those that finishing must handle, and those that only the notice
-- needs.
local function facts_of(record, f)
  if not (f[3] and f[4] and f[5] and f[6] and f[7] and f[8]) then
    return nil
  end
  local others = redis.call('HLEN', record) - 10
    - (f[10] and 1 or 0) - (f[11] and 1 or 0) - (f[12] and 1 or 0)
  local was, m = facts, NOTHING
  if others ~= 0 then
    m = redis.call('HMGET', record, 'batch', 'tags', 'priority', 'key', 'callback', 'scheduled_for',
      'expires_at', 'watchers', 'tracestate', 'request')
    for i = 1, 10 do
      others = others - (m[i] and 1 or 0)
    end
  end
  was.function_name, was.queue, was.created_at, was.attempt = f[3], f[4], f[5], f[6]
  was.started_at, was.version, was.worker, was.waiters, was.caller = f[7], f[8], f[9], f[10], f[11]
  was.batch, was.callback, was.scheduled_for = m[1], m[5], m[6]
  was.expires_at, was.watchers = m[7], m[8]
  -- notify_fast needs to know every field.
  was.notified_fields = others == 0 and f[6] == '1' and m
  return was
end

-- fields_of(at, status): the fields that an attempt leaves in its record.
local function fields_of(at, status)
  local fields, size, has_succeeded = {}, 0, status == 'succeeded'
  if ARGV[at + 9] ~= '' then
    fields[1], fields[2], size = 'logs', ARGV[at + 9], 2
  end
  local value = has_succeeded and ARGV[at + 7] or ARGV[at + 8]
  if value ~= '' and status ~= 'lost' then
    fields[size + 1], fields[size + 2] = has_succeeded and 'result' or 'error', value
    size = size + 2
  end
  if has_succeeded and ARGV[at + 5] ~= 'json' then
    fields[size + 1], fields[size + 2] = 'result_type', ARGV[at + 5]
    if ARGV[at + 6] ~= '' then
      fields[size + 3], fields[size + 4] = 'result_media_type', ARGV[at + 6]
    end
  end
  return fields
end

-- end_attempt(at): settle one entry if its worker still holds the lease; returns its word.
local function end_attempt(at)
  local id, token, status = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local record = key_record(id)
  local f = redis.call('HMGET', record, 'status', 'token', 'function', 'queue', 'created_at',
    'attempt', 'started_at', 'version', 'worker', 'waiters', 'caller', 'traceparent')
  local is_holder = f[2] == token and f[9] == worker
  if f[1] ~= 'running' or not is_holder then
    if is_holder and (f[1] == status or status == 'lost') then
      return 'REPEATED'
    end
    tally('late_results', 1)
    return 'STALE'
  end
  local was = (status == 'succeeded' or status == 'failed') and facts_of(record, f)
  if not was then
    was = lazy().read_facts(id)
    loaded.check_running(was)
    if status == 'retrying' and was.is_cancelling then
      status = 'cancelled'
    end
  end
  local fields = fields_of(at, status)
  if status == 'lost' then
    if #fields > 0 then
      redis.call('HSET', record, unpack(fields))  -- at most 2
    end
    loaded.requeue_lost(id, was, now, tonumber(poison_limit), failure_ttl_ms)
  elseif status == 'retrying' then
    loaded.try_again(id, was, now, now + ARGV[at + 4], fields, ARGV[at + 8])
  else
    if status == 'succeeded' and was.attempt ~= '1' then
      redis.call('HDEL', record, 'error')
    end
    leave_running(id, was)
    finish(id, was, status, ARGV[at + 3], now, fields)
  end
  return 'DONE'
end

for at = rest, #ARGV, 10 do
  local is_sound, word = pcall(end_attempt, at)
  if not is_sound then
    lazy().set_aside(ARGV[at], word, now, { is_running = true })
    word = 'BROKEN'
  end
  replies[#replies + 1] = word
end
write_moves(now)
return replies
