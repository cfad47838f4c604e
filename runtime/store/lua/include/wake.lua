-- wake(queue): leave one token for one blocked worker. A claim that leaves work wakes the next.
local function wake(queue)
  if redis.call('LLEN', key_wake(queue)) == 0 then
    redis.call('RPUSH', key_wake(queue), '1')
  end
end
