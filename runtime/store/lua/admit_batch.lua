-- admit_batch: whether a batch would be taken, asked before its members are written; it counts as
-- one call of its caller.
--
-- ARGV     batch, function_name, size, max_waiting, idempotency, body_digest, caller, caller_count, caller_per_ms, api_key
--          an empty word or 0 means "none" everywhere
-- RETURNS  {NEW | REPLAYED | CONFLICT | FULL | LIMITED | REVOKED, batch, what waits or ms to wait, calls left
--          for the caller, ms until they are all back}
-- MOST     10 steps
-- WHY ONE SCRIPT  a caller's calls are judged and counted in one step.
-- include: clock
-- include: pace
-- include: admit
-- include: api_keys
local now = now_ms()
if api_key ~= '' and not is_valid(api_key, now) then
  return { 'REVOKED', batch, 0, -1, 0 }
end
if idempotency ~= '' then
  local first = redis.call('HMGET', key_idempotency(idempotency), 'id', 'body')
  if first[1] then
    return { first[2] == body_digest and 'REPLAYED' or 'CONFLICT', first[1], 0, -1, 0 }
  end
end
if caller ~= '' then
  local wait_ms = admit(caller, caller_count, caller_per_ms, now)
  if wait_ms then
    return { 'LIMITED', batch, wait_ms, 0, wait_ms + caller_per_ms }
  end
end
if max_waiting ~= '0' then
  local waiting = tonumber(redis.call('HGET', key_waiting(), function_name)) or 0
  if waiting + size > tonumber(max_waiting) then
    return { 'FULL', batch, waiting, -1, 0 }
  end
end
local left, back_ms = -1, 0
if caller ~= '' then
  left, back_ms = count_call(caller, caller_count, caller_per_ms, now)
end
return { 'NEW', batch, 0, left, back_ms }
