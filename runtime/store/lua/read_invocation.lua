-- read_invocation: read a record and the state of its callback. If a gateway is given, it is
-- notified when the invocation finishes.
--
-- ARGV     id, gateway
-- RETURNS  {record as HGETALL, with its earlier attempts as one more field, delivery's status or
--          '', delivery's number of attempts}
-- MOST     7 steps, and 25 attempts
-- WHY ONE SCRIPT  the invocation may finish between reading "running" and subscribing.
-- include: history
local record = key_record(id)
local all = redis.pcall('HGETALL', record)
local reply = { all, '', 0 }
if all.err then
  return { {}, '', 0 }  -- the key has another type, so there is no record
elseif #all == 0 then
  return reply
end
local f = redis.call('HMGET', record, 'finished_at', 'waiters', 'delivery', 'attempt')
if gateway ~= '' and not f[1] then
  local waiters = f[2] or ''
  if not string.find(' ' .. waiters .. ' ', ' ' .. gateway .. ' ', 1, true) then
    redis.call('HSET', record, 'waiters', waiters == '' and gateway or waiters .. ' ' .. gateway)
  end
end
if (f[4] or '0') > '0' then
  local earlier = earlier_attempts(id)
  if earlier ~= '' then
    all[#all + 1], all[#all + 2] = 'attempts', earlier
  end
end
if f[3] then
  reply[2] = redis.call('HGET', key_delivery(f[3]), 'status') or ''
  reply[3] = redis.call('LLEN', key_attempts(f[3]))
end
return reply
