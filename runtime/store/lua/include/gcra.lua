-- The generic cell rate algorithm (ITU-T I.371). For each name one time is stored: the theoretical
-- arrival time of the next start.
--
-- pace(name, tolerance_ms): the earliest time at which one more may start; a past time means now.
local function pace(name, tolerance_ms)
  return tonumber(redis.call('GET', key_rate(name)) or '0') - tolerance_ms
end

-- count_start(name, now, count, per_ms): count a start; returns the new theoretical arrival time.
local function count_start(name, now, count, per_ms)
  local next_at = math.max(now, tonumber(redis.call('GET', key_rate(name)) or '0'))
    + per_ms / count
  redis.call('SET', key_rate(name), string.format('%.3f', next_at), 'PX',
    math.ceil(next_at - now + per_ms))
  return next_at
end
