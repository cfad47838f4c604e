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
-- include: gather
-- include: tally
-- include: ending
-- include: ordinary_notice
-- include when needed: lanes
-- include when needed: create_delivery
-- include when needed: finish
-- include when needed: leave
-- include when needed: quarantine
local now = now_ms()
local replies = {}
local is_limited, in_batch = {}, {}

local function append(fields, name, value)
  if value ~= '' then
    local size = #fields
    fields[size + 1], fields[size + 2] = name, value
  end
end

-- fields_of(at, status): what an attempt leaves in its record.
local function fields_of(at, status)
  local fields = {}
  append(fields, 'logs', ARGV[at + 9])
  if status == 'succeeded' then
    append(fields, 'result', ARGV[at + 7])
    if ARGV[at + 5] ~= 'json' then
      append(fields, 'result_type', ARGV[at + 5])
      append(fields, 'result_media_type', ARGV[at + 6])
    end
  elseif status ~= 'lost' then
    append(fields, 'error', ARGV[at + 8])
  end
  return fields
end

-- settle(at, id, status): write what became of an attempt whose token has been checked, whatever it is.
local function settle(at, id, status)
  local record, was = key_record(id), rare().read_facts(id)
  made.check_running(was)
  if status == 'retrying' and was.is_cancelling then
    status = 'cancelled'
  end
  local fields = fields_of(at, status)
  if status == 'lost' then
    if #fields > 0 then
      redis.call('HSET', record, unpack(fields))  -- at most 8
    end
    made.lose(id, was, now, tonumber(poison_limit), failure_ttl_ms)
  elseif status == 'retrying' then
    local due = now + ARGV[at + 4]
    redis.call('HSET', record, 'status', 'retrying', 'retry_at', due,
      unpack(fields))  -- at most 8
    tally(was.function_name .. ':retried', 1)
    made.leave_running(id, was)
    made.note_attempt(id, was, now, 'retrying', ARGV[at + 8])
    made.put_later(was.queue, id, due)
    remove_member(key_index('live'), id)
    remove_member(key_index('live:' .. was.function_name), id)
    add_member(key_index('retrying'), '0', id)
    add_member(key_index('retrying:' .. was.function_name), '0', id)
    made.poke(id, was.watchers)
    if was.batch then
      made.count_in_batch(was.batch, now, 'running', 'retrying')
    end
  else
    if status == 'succeeded' and was.attempt ~= '1' then
      redis.call('HDEL', record, 'error')
    end
    made.leave_running(id, was)
    made.finish(id, was, status, tonumber(ARGV[at + 3]), now, fields)
  end
end

-- is_first_and_free(f): whether it is the first attempt, of a function without a concurrency limit.
local function is_first_and_free(f)
  local name = f[3]
  if is_limited[name] == nil then
    is_limited[name] = redis.call('EXISTS', key_running(name)) == 1
  end
  return f[6] == '1' and f[4] and f[5] and f[7] and f[9] and not is_limited[name]
end

-- end_first_attempt(at, id, status, f): write an ending for ever. Every running record has ten
-- fields, its arguments and those that were read, one more if a gateway waits; only of one that has
-- others it is asked what few have: what an ending must see to, then what only its notice tells.
local function end_first_attempt(at, id, status, f)
  local record = key_record(id)
  local unknown, told = redis.call('HLEN', record) - (f[8] and 11 or 10), {}
  local batch = false
  if unknown ~= 0 then
    local m = redis.call('HMGET', record, 'callback', 'expires_at', 'scheduled_for', 'watchers',
      'batch', 'caller', 'tags', 'priority', 'key', 'traceparent', 'tracestate', 'request')
    batch = m[5]
    if m[1] or m[2] or m[3] or m[4] then
      local was = {
        status = 'running', function_name = f[3], queue = f[4], created_at = f[5], attempt = f[6],
        started_at = f[7], waiters = f[8], callback = m[1], expires_at = m[2],
        scheduled_for = m[3], watchers = m[4], batch = batch,
      }
      rare().leave_running(id, was)
      made.finish(id, was, status, tonumber(ARGV[at + 3]), now, fields_of(at, status))
      return
    end
    for i = 5, 12 do
      unknown = unknown - (m[i] and 1 or 0)
    end
    told = { 'batch', batch, 'caller', m[6], 'tags', m[7], 'priority', m[8], 'key', m[9] }
  end
  local place, fields = place_of(f[3], status), fields_of(at, status)
  -- What may fail comes before what is written.
  local ran_ms, waited_ms = now - f[7], math.max(0, f[7] - f[5])
  end_record(id, place, status, ARGV[at + 3], now, fields)
  change_count(key_queue(f[4]), 'running', -1)
  remove_member(key_leases(), id)
  tally_time(place.run, ran_ms)
  tally_time(place.queue, waited_ms)
  if batch then
    local counts = in_batch[batch] or {}
    counts[status] = (counts[status] or 0) + 1
    in_batch[batch] = counts
  end
  if f[8] and unknown == 0 then
    tell_ordinary(id, f, place, status, fields, told)
  elseif f[8] then
    rare().notify(id, f[8])
  end
end

-- end_attempt(at): what an entry says, if it may.
local function end_attempt(at)
  local id, token, status = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local f = redis.call('HMGET', key_record(id), 'status', 'token', 'function', 'queue',
    'created_at', 'attempt', 'started_at', 'waiters', 'version', 'worker')
  local was = f[1]
  local is_holder = f[2] == token and f[10] == worker
  if was == 'running' and is_holder then
    if (status == 'succeeded' or status == 'failed') and f[3] and is_first_and_free(f) then
      end_first_attempt(at, id, status, f)
    else
      settle(at, id, status)
    end
    return 'DONE'
  elseif is_holder and (was == status or status == 'lost') then
    return 'REPEATED'
  end
  tally('late_results', 1)
  return 'STALE'
end

for at = rest, #ARGV, 10 do
  local is_sound, word = pcall(end_attempt, at)
  if not is_sound then
    rare().set_aside(ARGV[at], word, now, { is_running = true })
    word = 'BROKEN'
  end
  replies[#replies + 1] = word
end
for batch, counts in pairs(in_batch) do
  for status, count in pairs(counts) do
    rare().count_in_batch(batch, now, 'running', status, count)
  end
end
write_gathered()
write_tally(now)
return replies
