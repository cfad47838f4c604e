-- is_silent(now, grace_ms): whether no worker's heart has beaten for a while: Redis or all workers
-- were away, or its clock leapt. Leases that ran out meanwhile say nothing of their holders.
local function is_silent(now, grace_ms)
  return now - tonumber(redis.call('GET', key_pulse()) or now) > 2 * tonumber(grace_ms)
end
