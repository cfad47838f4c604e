-- purge_queue: cancel some of a queue's waiting invocations; the caller repeats until none is left.
--
-- ARGV     queue, ttl_ms, most
-- RETURNS  how many were cancelled or set aside
-- MOST     500 lanes looked into, 200 functions, `most` cancelled at 40 steps each; most is 200
-- WHY ONE SCRIPT  an invocation that is cancelled here must not be claimed meanwhile.
-- include: counting
-- include: clock
-- include: lanes
-- include: record_facts
-- include: finish_record
-- include: damaged_records
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

-- cancel(id): cancel an invocation that was removed from its lane or the due ones, or set it aside.
local function cancel(id, name)
  local is_sound, problem = pcall(try_to_cancel, id)
  if not is_sound then
    set_aside(id, problem, now, { queue = queue, function_name = name })
  end
  cancelled = cancelled + 1
  left = left - 1
end

-- Only the first functions and fairness keys are read. Emptied ones are removed, so the next call
-- finds others there.
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
      redis.call('ZREM', key_keys(queue, name), key)  -- it may be listed without work
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
