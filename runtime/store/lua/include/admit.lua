-- admit(caller, count, per_ms, now): whether the caller's pace lets one more call in: nil, or how
-- long to wait in ms.
local function admit(caller, count, per_ms, now)
  local conforms_at = pace('caller:' .. caller, per_ms - per_ms / count)
  return conforms_at > now and math.ceil(conforms_at - now) or nil
end

-- count_call(caller, count, per_ms, now): one was let in; returns how many more may come at once,
-- and how long until the whole allowance is back.
local function count_call(caller, count, per_ms, now)
  local busy_ms = count_start('caller:' .. caller, now, count, per_ms) - now
  return math.max(0, math.floor((per_ms - busy_ms) / (per_ms / count))), math.ceil(busy_ms)
end
