-- tick_schedule: turn a schedule's due times into invocations or skips, and set its next due time.
--
-- ARGV     id, expected, revision, since, following, version, queue, priority, max_age_ms, max_waiting, secrets, missed, moments...
--          expected is the due time that the ticker read, following the next one ('' for none);
--          missed counts further skipped ones; moments are pairs: due time, id of the invocation to
--          create ('' if it is too late for one)
-- RETURNS  {LATE} if another ticker was first, else a word for each due time: NEW, or why it was
--          skipped: missed | overlap | full | unavailable
-- MOST     35 steps a moment, of at most 200
-- WHY ONE SCRIPT  each due time fires once, however many tickers read it and even if one of them
--                 dies: the step that moves the due time on also creates the invocation.
-- The first write is one that a full Redis refuses (HSET), so a refusal changes nothing.
-- include: clock
-- include: create_invocation
-- include: schedule_fire
local key = key_schedule(id)
local due = redis.call('ZSCORE', key_schedules_due(), id)
local f = redis.call('HMGET', key, 'revision', 'function', 'arguments', 'overlap', 'last_invocation')
if not due or tonumber(due) ~= tonumber(expected) or f[1] ~= revision then
  return { 'LATE' }
end
local now = now_ms()
redis.call('HSET', key, 'since', since)
if following == '' then
  redis.call('HSET', key, 'is_over', '1')
  redis.call('ZREM', key_schedules_due(), id)
else
  redis.call('ZADD', key_schedules_due(), following, id)
end
if missed ~= '0' then
  redis.call('HINCRBY', key, 'skipped', missed)
end

local shape = {
  function_name = f[2], arguments = f[3], version = version, queue = queue,
  priority = tonumber(priority), max_age_ms = tonumber(max_age_ms),
  max_waiting = tonumber(max_waiting), secrets = secrets,
}
local last = f[5]
local reply = {}
for at = rest, #ARGV, 2 do
  local moment, invocation = ARGV[at], ARGV[at + 1]
  local fate
  if invocation == '' then
    fate = 'missed'
  elseif version == '' then
    fate = 'unavailable'
  elseif f[4] == '0' and last and is_unfinished(last) then
    fate = 'overlap'
  else
    fate = invoke(id, shape, invocation, now, moment)
  end
  if fate == 'NEW' then
    last = invocation
  else
    note_skip(id, moment, fate)
  end
  reply[#reply + 1] = fate
end
return reply
