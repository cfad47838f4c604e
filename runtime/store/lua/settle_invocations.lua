-- settle_invocations: what became of some attempts; everything that ends with them ends here.
--
-- ARGV     worker, poison_limit, failure_ttl_ms, entries...
--          an entry is 10 values: id, token, status (succeeded, failed, retrying, lost, cancelled),
--          ttl_ms, retry_after_ms, result_type, media_type, result, error, logs
-- RETURNS  for each entry DONE | STALE | REPEATED | BROKEN
--          BROKEN: its record is damaged, and it was set aside
-- MOST     50 steps an entry; its caller sends at most 64
-- WHY ONE SCRIPT  a result from a worker whose lease was taken over must change nothing; and the
--                 status, the lease, the statistics, the waiters and the callback are one fact.
-- An attempt is known by its token and its worker: where Redis was put back to a moment before, two
-- workers may hold the same token. One damaged record harms no other.
-- include: clock
-- include: finish_record
-- include: release_running
-- include when needed: record_facts
-- include when needed: requeue_lost
-- include when needed: quarantine
local now = now_ms()
local replies = {}
-- What is known of the attempt at hand: one table for all, as nobody keeps it.
local facts = {
  status = 'running', function_name = '', queue = '', created_at = '', attempt = '', started_at = '',
  version = '', worker = '', waiters = '', caller = '', batch = '', callback = '', scheduled_for = '',
  expires_at = '', watchers = '', notified_fields = '',
}
local NOTHING = { false, false, false, false, false, false, false, false }

-- facts_of(record, f): what an ending needs to know of a running record, of which `f` was read; nil
-- where one of its first eight is missing. Each has ten fields, its arguments and the first nine of
-- `f`; many have a waiter, a caller and a trace, the rest of `f`. Only of one that has yet others it is
-- asked what few have: what an ending must see to, and what only its notice tells.
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
  was.notified_fields = others == 0 and f[6] == '1' and m
  return was
end

-- fields_of(at, status): what an attempt leaves in its record.
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

-- end_attempt(at): what an entry says, if it may.
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
