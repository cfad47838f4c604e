-- Whether a call or a batch may come in, judged by every script that lets one in. A `refuse_` function
-- returns the answer that refuses, as those scripts give it, or nil: {word, id, number, calls left for
-- the caller or -1, ms until they are all back}.
-- include: api_keys
-- include: first_requests
-- include: gcra
-- include: queue_capacity
local function refuse_revoked(id, api_key, now)
  return not is_valid(api_key, now) and { 'REVOKED', id, 0, -1, 0 } or nil
end

-- refuse_limited(id, caller, count, per_ms, now): whether the caller's rate lets one more call in.
local function refuse_limited(id, caller, count, per_ms, now)
  local conforms_at = pace('caller:' .. caller, per_ms - per_ms / count)
  if conforms_at > now then
    local wait_ms = math.ceil(conforms_at - now)
    return { 'LIMITED', id, wait_ms, 0, wait_ms + per_ms }
  end
end

-- count_call(caller, count, per_ms, now): one was let in; returns how many more may come at once,
-- and how long until the whole allowance is back.
local function count_call(caller, count, per_ms, now)
  local busy_ms = count_start('caller:' .. caller, now, count, per_ms) - now
  return math.max(0, math.floor((per_ms - busy_ms) / (per_ms / count))), math.ceil(busy_ms)
end
