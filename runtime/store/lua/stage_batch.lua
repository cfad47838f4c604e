-- stage_batch: write some members of a batch, not yet in a lane; without a commit they expire.
--
-- ARGV     batch, function_name, queue, version, callback, staged_ttl_ms, priority, fairness_key, tags, traceparent, tracestate, caller, secrets, entries...
--          an entry is 2 values: id, arguments
-- RETURNS  how many are staged now
-- MOST     8 steps a member, of at most 500
-- WHY ONE SCRIPT  a part that is sent again after a lost reply must not be stored twice.
-- include: clock
local now = now_ms()
local key, items = key_batch(batch), key_batch_items(batch)
redis.call('HSETNX', key, 'created_at', now)
redis.call('HSET', key, 'function', function_name, 'queue', queue)
if callback ~= '' then
  redis.call('HSET', key, 'callback', callback)
end
if caller ~= '' then
  redis.call('HSET', key, 'caller', caller)
end
if traceparent ~= '' then
  redis.call('HSET', key, 'traceparent', traceparent, 'tracestate', tracestate)
end
for at = rest, #ARGV, 2 do
  local record = key_record(ARGV[at])
  if redis.call('EXISTS', record) == 0 then
    redis.call('HSET', record, 'function', function_name, 'queue', queue, 'version', version,
      'created_at', now, 'status', 'queued', 'batch', batch, 'arguments', ARGV[at + 1])
    if priority ~= '5' then
      redis.call('HSET', record, 'priority', priority)
    end
    if fairness_key ~= '' then
      redis.call('HSET', record, 'key', fairness_key)
    end
    if caller ~= '' then
      redis.call('HSET', record, 'caller', caller)
    end
    if secrets ~= '' then
      redis.call('HSET', record, 'secrets', secrets)
    end
    if tags ~= '' then
      redis.call('HSET', record, 'tags', tags)
    end
    if traceparent ~= '' then
      redis.call('HSET', record, 'traceparent', traceparent, 'tracestate', tracestate)
    end
    redis.call('PEXPIRE', record, staged_ttl_ms)
    redis.call('RPUSH', items, ARGV[at])
  end
end
redis.call('PEXPIRE', key, staged_ttl_ms)
redis.call('PEXPIRE', items, staged_ttl_ms)
return redis.call('LLEN', items)
