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

local names = redis.call('LRANGE', key_ring(queue), 0, 99)
for _, name in ipairs(redis.call('ZRANGE', key_held(queue), 0, 99)) do
  names[#names + 1] = name
end
for _, name in ipairs(names) do
  for _, key in ipairs(redis.call('LRANGE', key_keys(queue, name), 0, 99)) do
    if left > 0 then
      for _, id in ipairs(redis.call('ZRANGE', key_lane(queue, name, key), 0, left - 1)) do
        cancel(id)
      end
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
