-- wake(queue): one token for one blocked worker; a claim that leaves work passes it on.
local function wake(queue)
  if redis.call('LLEN', key_wake(queue)) == 0 then
    redis.call('RPUSH', key_wake(queue), '1')
  end
end
