-- submit_plain: plain calls of one function that reached a gateway together are born together.
--
-- ARGV     function_name, queue, version, priority, max_waiting, waiter, entries...
--          entries are id, arguments, id, arguments, …; ids are fresh: nobody has sent them before
--          waiter is the gateway to tell of their ends, or an empty word; max_waiting 0 is any number
-- RETURNS  {created_at, how many were born: the first ones, how many are refused, what waits if so}
-- MOST     3 steps a call, of at most 8, and 12
-- WHY ONE SCRIPT  as submit_invocation, which does the same for calls that wish something. One for
--                 many, because most of what a birth costs (places in the lane and the indexes,
--                 counts, wake-up) costs the same for a hundred.
-- include: clock
-- include: joining
local now = now_ms()
local last = #ARGV
local waiting = 0
if max_waiting ~= '0' then
  waiting = tonumber(redis.call('HGET', key_waiting(), function_name)) or 0
  last = math.min(last, rest - 1 + 2 * math.max(0, tonumber(max_waiting) - waiting))
  if last < rest then
    return { now, 0, (#ARGV - rest + 1) / 2, waiting }
  end
end
local created_at = string.format('%.0f', now)
local score = urgency(tonumber(priority), now)
local in_index, in_lane = {}, {}
local size = 0
for at = rest, last, 2 do
  local id = ARGV[at]
  if waiter ~= '' then
    redis.call('HSET', key_record(id), 'function', function_name, 'queue', queue,
      'created_at', created_at, 'status', 'queued', 'version', version, 'arguments', ARGV[at + 1],
      'waiters', waiter)
  else
    redis.call('HSET', key_record(id), 'function', function_name, 'queue', queue,
      'created_at', created_at, 'status', 'queued', 'version', version, 'arguments', ARGV[at + 1])
  end
  if priority ~= '5' then
    redis.call('HSET', key_record(id), 'priority', priority)
  end
  in_index[size + 1], in_index[size + 2] = '0', id
  in_lane[size + 1], in_lane[size + 2] = score, id
  size = size + 2
end
redis.call('ZADD', key_index('live'), unpack(in_index))  -- at most 8 pairs
redis.call('ZADD', key_index('live:' .. function_name), unpack(in_index))  -- at most 8 pairs
put_all_in_lane(queue, function_name, '', in_lane)
return { now, size / 2, (#ARGV - last) / 2, waiting + size / 2 }
