-- all_are_silent(now, grace_ms): whether no worker has sent a heartbeat for twice the grace period:
-- Redis or all workers were down, or the clock jumped. Leases that expired meanwhile prove nothing.
local function all_are_silent(now, grace_ms)
  return now - tonumber(redis.call('GET', key_pulse()) or now) > 2 * tonumber(grace_ms)
end
