-- now_ms(): the server's clock in ms since the epoch; the only one that judges leases and due times.
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
