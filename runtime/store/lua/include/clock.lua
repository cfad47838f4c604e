-- now_ms(): the Redis server's time in ms since the epoch. Leases and due times use no other clock.
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
