-- read_events: a record and what its attempts told after `after`; on wish, be poked at more.
--
-- ARGV     id, gateway, after, most
--          after is an id of the stream, "-" for the beginning
-- RETURNS  {record as HGETALL, stream entries as XRANGE gives them}
-- WHY ONE SCRIPT  between reading what is there and asking for more, more may come.
local record = key_record(id)
local all = redis.call('HGETALL', record)
if #all == 0 then
  return { all, {} }
end
local f = redis.call('HMGET', record, 'finished_at', 'watchers')
if gateway ~= '' and not f[1] then
  local watchers = f[2] or ''
  if not string.find(' ' .. watchers .. ' ', ' ' .. gateway .. ' ', 1, true) then
    redis.call('HSET', record, 'watchers',
      watchers == '' and gateway or watchers .. ' ' .. gateway)
  end
end
local from = after == '-' and '-' or '(' .. after
return { all, redis.call('XRANGE', key_events(id), from, '+', 'COUNT', most) }
