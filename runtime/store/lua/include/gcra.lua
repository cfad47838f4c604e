-- The generic cell rate algorithm (ITU-T I.371), one moment a name: from when on the next conforms.
--
-- pace(name, tolerance_ms): the moment from which one more may start; the past means at once.
local function pace(name, tolerance_ms)
  return tonumber(redis.call('GET', key_rate(name)) or '0') - tolerance_ms
end

-- count_start(name, now, count, per_ms): one has started; returns from when on the next conforms.
local function count_start(name, now, count, per_ms)
  local next_at = math.max(now, tonumber(redis.call('GET', key_rate(name)) or '0'))
    + per_ms / count
  redis.call('SET', key_rate(name), string.format('%.3f', next_at), 'PX',
    math.ceil(next_at - now + per_ms))
  return next_at
end
