-- check_lanes: check that lanes with waiting work have turns.
--
-- ARGV     repair, lanes...
--          at most 200 lanes, each 3 values: queue, function, fairness key
-- RETURNS  {how many existed, {findings…}}, see include/findings.lua
-- MOST     200 lanes of 9 steps each
-- WHY ONE SCRIPT  as check_invocations.
-- include: clock
-- include: lanes
-- include: findings
local looked = 0
for at = rest, #ARGV, 3 do
  local queue, name, key = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if redis.call('EXISTS', key_lane(queue, name, key)) == 1 then
    looked = looked + 1
    local has_turn = redis.call('ZSCORE', key_keys(queue, name), key)
    local of_function = redis.call('ZSCORE', key_ring(queue), name)
      or redis.call('ZSCORE', key_held(queue), name)
    if not (has_turn and of_function) then
      local whose = has_turn and 'its function' or 'it'
      if found('lane_without_turn', queue .. ' ' .. name .. ' ' .. key,
        'work waits, but ' .. whose .. ' has no turn', 'takes turns') then
        redis.call('SADD', key_queues(), queue)
        join_turns(queue, name, key)
        wake(queue)
      end
    end
  end
end
return { looked, findings }
