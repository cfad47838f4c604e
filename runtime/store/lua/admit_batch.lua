-- admit_batch: check whether a batch would be accepted, before its members are written. The check
-- counts as one call of the caller.
--
-- ARGV     batch, function_name, size, max_waiting, idempotency, body_digest, caller, caller_count, caller_per_ms, api_key
--          '' or 0 means "none" for every argument
-- RETURNS  {NEW | REPLAYED | CONFLICT | FULL | LIMITED | REVOKED, batch, how many wait or ms to
--          wait, calls left for the caller or -1, ms until all of them are back}
-- MOST     10 steps
-- WHY ONE SCRIPT  a caller's rate limit must be checked and counted in one step.
-- include: clock
-- include: caller_rate_limit
local now = now_ms()
local answer = nil
if api_key ~= '' then
  answer = refuse_revoked(batch, api_key, now)
end
if not answer and idempotency ~= '' then
  answer = refuse_repeated(idempotency, body_digest)
end
if not answer and caller ~= '' then
  answer = refuse_limited(batch, caller, caller_count, caller_per_ms, now)
end
if answer then
  return answer
end
local room, waiting = room_for(function_name, max_waiting)
if room < tonumber(size) then
  return { 'FULL', batch, waiting, -1, 0 }
end
if caller == '' then
  return { 'NEW', batch, 0, -1, 0 }
end
return { 'NEW', batch, 0, count_call(caller, caller_count, caller_per_ms, now) }
