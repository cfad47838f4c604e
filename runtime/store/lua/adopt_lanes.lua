-- adopt_lanes: move the turns of lanes that release 0.1 kept in lists into the sorted sets.
--
-- ARGV     queue, functions...
--          at most 200 functions are named
-- RETURNS  how many lanes were moved; the caller repeats until it is 0
-- MOST     200 functions, 500 fairness keys each, of those at most 1,000 in all: 4,000 steps
-- WHY ONE SCRIPT  a lane with work must have a turn, old or new, at every moment.
-- A process of release 0.1 may run beside this one: it finds its list shorter, or empty.
-- include: clock
-- include: enqueue
local MOST_KEYS, MOST_ADOPTED = 500, 1000
local old_ring = key_old_ring(queue)
local adopted = 0
for at = rest, math.min(#ARGV, rest + 199) do
  local name = ARGV[at]
  local old_keys = key_old_keys(queue, name)
  if adopted < MOST_ADOPTED and redis.call('EXISTS', old_keys) == 1 then
    local keys = redis.call('LRANGE', old_keys, 0, MOST_KEYS - 1)
    for _, key in ipairs(keys) do
      if redis.call('EXISTS', key_lane(queue, name, key)) == 1 then
        join_turns(queue, name, key)
      end
    end
    adopted = adopted + #keys
    redis.call('LTRIM', old_keys, MOST_KEYS, -1)
    if #keys < MOST_KEYS then
      redis.call('LREM', old_ring, 0, name)
    end
  end
end
if adopted > 0 then
  wake(queue)
end
return adopted
