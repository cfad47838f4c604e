-- queue_states(now): of every queue {name, paused 1 or 0, waiting, scheduled or retrying, running,
-- age in ms of the oldest waiting or -1}.
--
-- The oldest is looked for among the first of each lane, in at most 1,000 functions with 100 fairness keys each.
local function oldest_age(queue, now)
  local oldest = -1
  local names = redis.call('ZRANGE', key_ring(queue), 0, 999)
  for _, name in ipairs(redis.call('ZRANGE', key_held(queue), 0, 999)) do
    names[#names + 1] = name
  end
  for _, name in ipairs(names) do
    for _, key in ipairs(redis.call('ZRANGE', key_keys(queue, name), 0, 99)) do
      local first = redis.call('ZRANGE', key_lane(queue, name, key), 0, 0, 'WITHSCORES')
      if first[2] then
        oldest = math.max(oldest, now - tonumber(first[2]) % 4398046511104)
      end
    end
  end
  return oldest
end

local function queue_states(now)
  local states = {}
  for _, queue in ipairs(redis.call('SMEMBERS', key_queues())) do
    local f = redis.call('HMGET', key_queue(queue), 'paused', 'waiting', 'running')
    states[#states + 1] = {
      queue, f[1] == '1' and 1 or 0, tonumber(f[2] or '0'), redis.call('ZCARD', key_due(queue)),
      tonumber(f[3] or '0'), oldest_age(queue, now),
    }
  end
  return states
end
