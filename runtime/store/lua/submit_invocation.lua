-- submit_invocation: an invocation is born: record, place in its queue, wake-up.
--
-- ARGV     id, function_name, queue, lane, priority, delay_ms, fields...
-- RETURNS  {NEW | EXISTS, created_at_ms}
-- WHY ONE SCRIPT  whoever holds the id must find the record, and a worker that is woken must
--                 find the id in its lane; a caller that repeats a lost request is not doubled.
-- include: clock
-- include: lanes
local record = key_record(id)
local created = redis.call('HGET', record, 'created_at')
if created then
  return { 'EXISTS', created }
end

local now = now_ms()
local later = tonumber(delay_ms)
redis.call('HSET', record, 'function', function_name, 'queue', queue, 'created_at', now,
  'status', later > 0 and 'scheduled' or 'queued', unpack(ARGV, rest))
if lane ~= function_name then
  redis.call('HSET', record, 'lane', lane)
end
if priority ~= '5' then
  redis.call('HSET', record, 'priority', priority)
end
if later > 0 then
  redis.call('HSET', record, 'scheduled_for', now + later)
  put_later(queue, id, now + later)
else
  put_in_lane(queue, lane, id, urgency(tonumber(priority), now))
end
return { 'NEW', now }
