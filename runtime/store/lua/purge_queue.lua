-- purge_queue: cancel some of what waits in a queue; called again until nothing is left.
--
-- ARGV     queue, ttl_ms, most
-- RETURNS  how many were cancelled or set aside
-- MOST     500 lanes looked into, 200 functions, `most` cancelled at 40 steps each; most is 200
-- WHY ONE SCRIPT  what is cancelled here must not be claimed meanwhile.
-- include: counting
-- include: clock
-- include: lanes
-- include: record_facts
-- include: finish_record
-- include: quarantine
local MOST_LANES = 500
local now = now_ms()
local left = tonumber(most)
local cancelled = 0
add_to_count(key_queue(queue), 'purges', 1)

local function try_to_cancel(id)
  local was = read_facts(id)
  check_facts(was)
  if was.status == 'queued' or was.status == 'scheduled' or was.status == 'retrying' then
    finish(id, was, 'cancelled', tonumber(ttl_ms), now, {})
  end
end

-- cancel(id): it has left its lane, or the due ones; what is damaged is set aside.
local function cancel(id, name)
  local is_sound, problem = pcall(try_to_cancel, id)
  if not is_sound then
    set_aside(id, problem, now, { queue = queue, function_name = name })
  end
  cancelled = cancelled + 1
  left = left - 1
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
      take_from_lane(queue, name, key, id)
      cancel(id, name)
    end
    if redis.call('EXISTS', key_lane(queue, name, key)) == 0 then
      redis.call('ZREM', key_keys(queue, name), key)  -- where it was there without work
    end
  end
end

for _, names in ipairs({ key_ring(queue), key_held(queue) }) do
  for _, name in ipairs(redis.call('ZRANGE', names, 0, 99)) do
    if left > 0 and looks > 0 then
      cancel_in_lanes(name)
      if redis.call('EXISTS', key_keys(queue, name)) == 0 then
        redis.call('ZREM', names, name)
      end
    end
  end
end
if left > 0 then
  for _, id in ipairs(redis.call('ZRANGE', key_due(queue), 0, left - 1)) do
    redis.call('ZREM', key_due(queue), id)
    cancel(id)
  end
end
write_moves(now)
return cancelled
