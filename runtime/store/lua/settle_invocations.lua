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
-- include: finish
-- include: lose
local now = now_ms()
local replies = {}
for at = rest, #ARGV, 10 do
  local id, token, status = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local was, status_now, token_now = read_running(id)
  if not was or was.token ~= token then
    local mine = not was and token_now == token and (status_now == status or status == 'lost')
    if not mine then
      redis.call('HINCRBY', key_stats(), 'late_results', 1)
    end
    replies[#replies + 1] = mine and 'REPEATED' or 'STALE'
  else
    local record = key_record(id)
    local fields = {}
    if ARGV[at + 9] ~= '' then
      fields[1], fields[2] = 'logs', ARGV[at + 9]
    end
    if ARGV[at + 8] ~= '' then
      fields[#fields + 1] = 'error'
      fields[#fields + 1] = ARGV[at + 8]
    end
    if status == 'lost' then
      if #fields > 0 then
        redis.call('HSET', record, unpack(fields))
      end
      lose(id, was, now, poison_limit, failure_ttl_ms)
    elseif status == 'retrying' then
      redis.call('HSET', record, 'status', 'retrying', unpack(fields))
      redis.call('HINCRBY', key_queue(was.queue), 'running', -1)
      redis.call('HINCRBY', key_stats(), was.function_name .. ':retried', 1)
      redis.call('ZREM', key_leases(), id)
      put_later(was.queue, id, now + ARGV[at + 4])
    else
      if status == 'succeeded' then
        if token ~= '1' then
          redis.call('HDEL', record, 'error')
        end
        fields[#fields + 1] = 'result'
        fields[#fields + 1] = ARGV[at + 7]
        if ARGV[at + 5] ~= 'json' then
          fields[#fields + 1] = 'result_type'
          fields[#fields + 1] = ARGV[at + 5]
          fields[#fields + 1] = 'result_media_type'
          fields[#fields + 1] = ARGV[at + 6]
        end
      end
      redis.call('HINCRBY', key_queue(was.queue), 'running', -1)
      finish(id, was, status, ARGV[at + 3], now, fields)
    end
    replies[#replies + 1] = 'DONE'
  end
end
return replies
