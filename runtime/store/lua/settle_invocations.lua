-- settle_invocations: what became of some attempts; everything that ends with them ends here.
--
-- ARGV     poison_limit, failure_ttl_ms, entries...
--          an entry is 10 values: id, token, status (succeeded, failed, retrying, lost, cancelled),
--          ttl_ms, retry_after_ms, result_type, media_type, result, error, logs
-- RETURNS  for each entry DONE | STALE | REPEATED
-- WHY ONE SCRIPT  a result from a worker whose lease was taken over must change nothing; and the
--                 status, the lease, the statistics, the waiters and the callback are one fact.
-- include: clock
-- include: gather
-- include: tally
-- include: ending
-- include: ordinary_notice
-- include when needed: lanes
-- include when needed: create_delivery
-- include when needed: finish
-- include when needed: leave
local now = now_ms()
local replies = {}
local is_limited = {}

-- fields_of(at, status): what an attempt leaves in its record.
local function fields_of(at, status)
  local fields, size = {}, 0
  local function add(name, value)
    if value ~= '' then
      fields[size + 1], fields[size + 2] = name, value
      size = size + 2
    end
  end
  add('logs', ARGV[at + 9])
  if status == 'succeeded' then
    add('result', ARGV[at + 7])
    if ARGV[at + 5] ~= 'json' then
      add('result_type', ARGV[at + 5])
      add('result_media_type', ARGV[at + 6])
    end
  elseif status ~= 'lost' then
    add('error', ARGV[at + 8])
  end
  return fields
end

-- settle(at, id, status): write one ending whose token has been checked, whatever it is.
local function settle(at, id, status)
  local record, was = key_record(id), rare().read_facts(id)
  if status == 'retrying' and was.is_cancelling then
    status = 'cancelled'
  end
  local fields = fields_of(at, status)
  if status == 'lost' then
    if #fields > 0 then
      redis.call('HSET', record, unpack(fields))
    end
    made.lose(id, was, now, poison_limit, failure_ttl_ms)
  elseif status == 'retrying' then
    local due = now + ARGV[at + 4]
    redis.call('HSET', record, 'status', 'retrying', 'retry_at', due, unpack(fields))
    tally(was.function_name .. ':retried', 1)
    made.leave_running(id, was)
    made.note_attempt(id, was, now, 'retrying', ARGV[at + 8])
    made.put_later(was.queue, id, due)
    if was.batch then
      made.count_in_batch(was.batch, now, 'running', 'retrying')
    end
    made.poke(id, was.watchers)
  else
    if status == 'succeeded' and was.attempt ~= '1' then
      redis.call('HDEL', record, 'error')
    end
    made.leave_running(id, was)
    made.finish(id, was, status, tonumber(ARGV[at + 3]), now, fields)
  end
end

-- may_be_ordinary(f): whether the first attempt of a function without a concurrency limit.
local function may_be_ordinary(f)
  local name = f[3]
  if is_limited[name] == nil then
    is_limited[name] = redis.call('EXISTS', key_running(name)) == 1
  end
  return f[6] == '1' and not is_limited[name]
end

-- settle_ordinary(at, id, status, f): write the ending of one that has nothing special about it;
-- false if it has. Every running record has ten fields, its arguments and those below, one more if
-- a gateway waits; with others it may be special in what an ending must see to, or only in what its
-- notice tells.
local function settle_ordinary(at, id, status, f)
  local record = key_record(id)
  local has_more = redis.call('HLEN', record) ~= (f[8] and 11 or 10)
  if has_more then
    local special = redis.call('HMGET', record, 'callback', 'batch', 'expires_at', 'scheduled_for',
      'watchers')
    if special[1] or special[2] or special[3] or special[4] or special[5] then
      return false
    end
  end
  local place, fields = place_of(f[3], status), fields_of(at, status)
  end_record(id, place, status, ARGV[at + 3], now, fields)
  change_count(key_queue(f[4]), 'running', -1)
  remove_member(key_leases(), id)
  tally_time(place.run, now - f[7])
  tally_time(place.queue, math.max(0, f[7] - f[5]))
  if not f[8] then
    return true
  end
  if has_more then
    rare().notify(id, f[8])
  else
    tell_ordinary(id, f, place, status, fields)
  end
  return true
end

for at = rest, #ARGV, 10 do
  local id, token, status = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local f = redis.call('HMGET', key_record(id), 'status', 'token', 'function', 'queue',
    'created_at', 'attempt', 'started_at', 'waiters', 'version', 'worker')
  local was = f[1]
  if was == 'running' and f[2] == token then
    if not ((status == 'succeeded' or status == 'failed') and may_be_ordinary(f)
      and settle_ordinary(at, id, status, f)) then
      settle(at, id, status)
    end
    replies[#replies + 1] = 'DONE'
  elseif was ~= 'running' and f[2] == token and (was == status or status == 'lost') then
    replies[#replies + 1] = 'REPEATED'
  else
    tally('late_results', 1)
    replies[#replies + 1] = 'STALE'
  end
end
write_gathered()
write_tally(now)
return replies
