-- Admission control: whether a call or a batch is accepted. A `refuse_` function returns nil, or
-- the refusal that its script returns: {word, id, number, calls left for the caller or -1, ms until
-- the caller's whole allowance is back}.
-- include: api_keys
-- include: idempotency_keys
-- include: gcra
-- include: queue_capacity
local function refuse_revoked(id, api_key, now)
  return not is_valid(api_key, now) and { 'REVOKED', id, 0, -1, 0 } or nil
end

-- refuse_limited(id, caller, count, per_ms, now): refuse a call that exceeds its caller's rate
-- limit.
local function refuse_limited(id, caller, count, per_ms, now)
  local conforms_at = pace('caller:' .. caller, per_ms - per_ms / count)
  if conforms_at > now then
    local wait_ms = math.ceil(conforms_at - now)
    return { 'LIMITED', id, wait_ms, 0, wait_ms + per_ms }
  end
end

-- count_call(caller, count, per_ms, now): count an accepted call against its caller's rate limit.
-- Returns how many more calls the caller may make at once, and the ms until all of them are back.
local function count_call(caller, count, per_ms, now)
  local busy_ms = count_start('caller:' .. caller, now, count, per_ms) - now
  return math.max(0, math.floor((per_ms - busy_ms) / (per_ms / count))), math.ceil(busy_ms)
end
