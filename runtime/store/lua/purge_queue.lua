-- purge_queue: cancel some of what waits in a queue; called again until nothing is left.
--
-- ARGV     queue, ttl_ms, most
-- RETURNS  how many were cancelled
-- WHY ONE SCRIPT  what is cancelled here must not be claimed meanwhile.
-- include: clock
-- include: lanes
-- include: create_delivery
-- include: gather
-- include: tally
-- include: finish
local MOST_LANES = 500
local now = now_ms()
local left = tonumber(most)
local cancelled = 0
redis.call('HINCRBY', key_queue(queue), 'purges', 1)

local function cancel(id)
  local was = read_facts(id)
  if was.status == 'queued' or was.status == 'scheduled' or was.status == 'retrying' then
    take_from_lane(was.queue, was.function_name, was.key, id)
    redis.call('ZREM', key_due(was.queue), id)
    finish(id, was, 'cancelled', tonumber(ttl_ms), now, {})
    cancelled = cancelled + 1
    left = left - 1
  end
end

-- Of each function and of each fairness key the first are looked at: what is emptied leaves, so the
-- next part finds others there.
local looks = MOST_LANES

local function cancel_in_lanes(name)
  for _, key in ipairs(redis.call('ZRANGE', key_keys(queue, name), 0, math.min(looks, left) - 1)) do
    if left <= 0 or looks <= 0 then
      return
    end
    looks = looks - 1
    for _, id in ipairs(redis.call('ZRANGE', key_lane(queue, name, key), 0, left - 1)) do
      cancel(id)
    end
  end
end

for _, names in ipairs({ key_ring(queue), key_held(queue) }) do
  for _, name in ipairs(redis.call('ZRANGE', names, 0, 99)) do
    if left > 0 and looks > 0 then
      cancel_in_lanes(name)
    end
  end
end
if left > 0 then
  for _, id in ipairs(redis.call('ZRANGE', key_due(queue), 0, left - 1)) do
    cancel(id)
  end
end
write_gathered()
write_tally(now)
return cancelled
