-- read_due_schedules: read the schedules that a ticker must look at now.
--
-- ARGV     most
-- RETURNS  {now, ms until the next is due or -1, entries…}; an entry is {id, due, revision, since,
--          cron, timezone, catch_up, function, manifest or ''}
-- MOST     3 steps a schedule that is due, of at most 100
-- WHY ONE SCRIPT  one round trip, and due times compared with one clock.
-- include: clock
local now = now_ms()
local due = key_schedules_due()
local reply = { now, -1 }
local found = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'WITHSCORES', 'LIMIT', 0, most)
for i = 1, #found, 2 do
  local f = redis.call('HMGET', key_schedule(found[i]), 'revision', 'since', 'cron', 'timezone',
    'catch_up', 'function')
  local manifest = f[6] and redis.call('HGET', key_functions(), f[6]) or ''
  reply[#reply + 1] = { found[i], found[i + 1], f[1] or '', f[2] or '0', f[3] or '', f[4] or '',
    f[5] or '0', f[6] or '', manifest }
end
local following = redis.call('ZRANGEBYSCORE', due, '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
if #found > 0 then
  reply[2] = 0
elseif following[2] then
  reply[2] = tonumber(following[2]) - now
end
return reply
