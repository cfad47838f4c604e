-- submit_invocation: an invocation is born: record, place in its queue, wake-up.
--
-- ARGV     id, function_name, queue, key, priority, delay_ms, run_at_ms, max_age_ms, max_waiting, idempotency, body_digest, idempotency_ttl_ms, caller, caller_count, caller_per_ms, tags, retried, once, api_key, fields...
--          tags are separated by line feeds; an empty word or 0 means "none" everywhere
--          api_key is the id of the key that the caller shows; REVOKED if it is not valid any more
--          retried is the invocation this one repeats; with once, only if nobody has before
-- RETURNS  {NEW | REPLAYED | CONFLICT | RETRIED | FULL | LIMITED | REVOKED, id, created_at, what waits or ms
--          to wait, calls left for the caller, ms until they are all back}
-- MOST     40 steps
-- WHY ONE SCRIPT  whoever holds the id must find the record, a worker that is woken must find it
--                 in its lane, a repeated request must find the first, and a refused one leave
--                 nothing behind.
-- include: clock
-- include: lanes
-- include: pace
-- include: admit
-- include: birth
-- include: api_keys
local record = key_record(id)
local created = redis.call('HGET', record, 'created_at')
if created then
  return { 'NEW', id, created, -1, 0 }
end
local now = now_ms()

if api_key ~= '' and not is_valid(api_key, now) then
  return { 'REVOKED', id, 0, -1, 0 }
end

if idempotency ~= '' then
  local first = redis.call('HMGET', key_idempotency(idempotency), 'id', 'body')
  if first[1] then
    return { first[2] == body_digest and 'REPLAYED' or 'CONFLICT', first[1], 0, -1, 0 }
  end
end

if once ~= '' then
  local repeated = redis.call('HGET', key_record(retried), 'retried_by')
  if repeated then
    return { 'RETRIED', repeated, 0, -1, 0 }
  end
end

local left, back_ms = -1, 0
if caller ~= '' then
  local wait_ms = admit(caller, caller_count, caller_per_ms, now)
  if wait_ms then
    return { 'LIMITED', id, wait_ms, 0, wait_ms + caller_per_ms }
  end
end
if max_waiting ~= '0' then
  local waiting = tonumber(redis.call('HGET', key_waiting(), function_name)) or 0
  if waiting >= tonumber(max_waiting) then
    return { 'FULL', id, waiting, -1, 0 }
  end
end

local due = 0
if run_at_ms ~= '0' then
  due = tonumber(run_at_ms)
elseif delay_ms ~= '0' then
  due = now + tonumber(delay_ms)
end
give_birth(id, now, {
  function_name = function_name, queue = queue, key = key, priority = tonumber(priority),
  max_age_ms = tonumber(max_age_ms), due = due, tags = tags, fields = ARGV, first = rest,
})
if caller ~= '' then
  left, back_ms = count_call(caller, caller_count, caller_per_ms, now)
end
if idempotency ~= '' then
  redis.call('HSET', key_idempotency(idempotency), 'id', id, 'body', body_digest)
  redis.call('PEXPIRE', key_idempotency(idempotency), idempotency_ttl_ms)
end
if retried ~= '' then
  redis.call('HSET', record, 'retry_of', retried)
  if redis.call('EXISTS', key_record(retried)) == 1 then
    redis.call('HSET', key_record(retried), 'retried_by', id)
  end
end
return { 'NEW', id, now, left, back_ms }
