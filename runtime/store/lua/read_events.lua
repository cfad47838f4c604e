-- read_events: read an invocation's state and its events after `after`. If a gateway is given, it
-- is notified of later ones.
--
-- ARGV     id, gateway, after, most_bytes
--          after is a stream id, which need not exist
-- RETURNS  {record as HGETALL but only its short fields, id of the stream's last entry or '', {id,
--          kind, data} of as many entries as most_bytes holds, but at least one…}
-- MOST     6 steps, and pages of 32 entries up to 64 KiB
-- WHY ONE SCRIPT  events may arrive between the read and the subscription.
-- include: history
local PAGE = 32
local names = { 'function', 'version', 'status', 'queue', 'created_at', 'attempt', 'scheduled_for',
  'started_at', 'finished_at', 'worker', 'error' }
local record, stream = key_record(id), key_events(id)
local f = redis.call('HMGET', record, 'finished_at', 'watchers', unpack(names))  -- at most 20
if not f[5] then
  return { {}, '' }
end
local flat = {}
for at, name in ipairs(names) do
  if f[at + 2] then
    flat[#flat + 1] = name
    flat[#flat + 1] = f[at + 2]
  end
end
local earlier = earlier_attempts(id)
if earlier ~= '' then
  flat[#flat + 1], flat[#flat + 2] = 'attempts', earlier
end
if gateway ~= '' and not f[1] then
  local watchers = f[2] or ''
  if not string.find(' ' .. watchers .. ' ', ' ' .. gateway .. ' ', 1, true) then
    redis.call('HSET', record, 'watchers',
      watchers == '' and gateway or watchers .. ' ' .. gateway)
  end
end
local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
local reply, left, from = { flat, last and last[1] or '' }, tonumber(most_bytes), '(' .. after
repeat
  local page = redis.call('XRANGE', stream, from, '+', 'COUNT', PAGE)
  for _, entry in ipairs(page) do
    if left > 0 then
      reply[#reply + 1] = { entry[1], entry[2][2], entry[2][4] }
      left = left - #entry[2][4]
      from = '(' .. entry[1]
    end
  end
until left <= 0 or #page < PAGE
return reply
