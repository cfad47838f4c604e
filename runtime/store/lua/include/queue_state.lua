-- queue_states(now): for every queue {name, paused 1 or 0, waiting, scheduled or retrying, running,
-- age in ms of the oldest waiting or -1}.
--
-- The oldest is searched among the first entries of lanes: at most 2,000 lanes over all queues,
-- those whose turns come next, and at most 100 lanes of one function.
local MOST_FIRSTS, MOST_OF_ONE = 2000, 100
local firsts_left = MOST_FIRSTS

local function oldest_age(queue, now)
  local oldest = -1
  for _, names in ipairs({ key_ring(queue), key_held(queue) }) do
    for _, name in ipairs(redis.call('ZRANGE', names, 0, math.max(0, firsts_left - 1))) do
      local most = math.min(MOST_OF_ONE, firsts_left)
      if most <= 0 then
        return oldest
      end
      local keys = redis.call('ZRANGE', key_keys(queue, name), 0, most - 1)
      firsts_left = firsts_left - math.max(1, #keys)
      for _, key in ipairs(keys) do
        local first = redis.call('ZRANGE', key_lane(queue, name, key), 0, 0, 'WITHSCORES')
        if first[2] then
          oldest = math.max(oldest, now - tonumber(first[2]) % 4398046511104)
        end
      end
    end
  end
  return oldest
end

local function count_of(value)
  return tonumber(value or '0') or 0
end

local function queue_states(now)
  local states = {}
  for _, queue in ipairs(redis.call('SMEMBERS', key_queues())) do
    local f = redis.call('HMGET', key_queue(queue), 'paused', 'waiting', 'running')
    states[#states + 1] = {
      queue, f[1] == '1' and 1 or 0, count_of(f[2]), redis.call('ZCARD', key_due(queue)),
      count_of(f[3]), oldest_age(queue, now),
    }
  end
  return states
end
