-- settle_invocations: what became of some attempts; everything that ends with them ends here.
--
-- ARGV     poison_limit, failure_ttl_ms, entries...
--          an entry is 10 values: id, token, status (succeeded, failed, retrying, lost, cancelled),
--          ttl_ms, retry_after_ms, result_type, media_type, result, error, logs
-- RETURNS  for each entry DONE | STALE | REPEATED
-- WHY ONE SCRIPT  a result from a worker whose lease was taken over must change nothing; and the
--                 status, the lease, the statistics, the waiters and the callback are one fact.
-- include: clock
-- include: lanes
-- include: create_delivery
-- include: gather
-- include: tally
-- include: finish
-- include: leave
local now = now_ms()
local replies = {}

-- settle(at, id, was): write one ending whose token has been checked.
local function settle(at, id, was)
  local record, status, error = key_record(id), ARGV[at + 2], ARGV[at + 8]
  local fields = {}
  local function add(name, value)
    if value ~= '' then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  add('logs', ARGV[at + 9])
  if status == 'lost' then
    if #fields > 0 then
      redis.call('HSET', record, unpack(fields))
    end
    lose(id, was, now, poison_limit, failure_ttl_ms)
    return
  end
  if status == 'retrying' and was.is_cancelling then
    status = 'cancelled'
  end
  if status ~= 'succeeded' then
    add('error', error)
  elseif was.attempt ~= '1' then
    redis.call('HDEL', record, 'error')
  end
  if status == 'retrying' then
    local due = now + ARGV[at + 4]
    redis.call('HSET', record, 'status', 'retrying', 'retry_at', due, unpack(fields))
    tally(was.function_name .. ':retried', 1)
    leave_running(id, was)
    note_attempt(id, was, now, 'retrying', error)
    put_later(was.queue, id, due)
    if was.batch then
      count_in_batch(was.batch, now, 'running', 'retrying')
    end
    poke(id, was.watchers)
    return
  end
  if status == 'succeeded' then
    add('result', ARGV[at + 7])
    if ARGV[at + 5] ~= 'json' then
      add('result_type', ARGV[at + 5])
      add('result_media_type', ARGV[at + 6])
    end
  end
  leave_running(id, was)
  finish(id, was, status, tonumber(ARGV[at + 3]), now, fields)
end

for at = rest, #ARGV, 10 do
  local id, token, status = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local was = read_facts(id)
  if was.status == 'running' and was.token == token then
    settle(at, id, was)
    replies[#replies + 1] = 'DONE'
  elseif was.token == token and was.status ~= 'running'
    and (was.status == status or status == 'lost') then
    replies[#replies + 1] = 'REPEATED'
  else
    tally('late_results', 1)
    replies[#replies + 1] = 'STALE'
  end
end
write_gathered()
write_tally(now)
return replies
