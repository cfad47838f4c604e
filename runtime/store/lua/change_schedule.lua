-- change_schedule: pause, resume or redefine a schedule.
--
-- ARGV     id, fields...
--          fields are pairs: a field of its hash and the new value
-- RETURNS  CHANGED | MISSING | DECLARED
--          DECLARED: it is its function's own schedule, which can only be paused and resumed
-- MOST     12 steps
-- WHY ONE SCRIPT  a tick between the change and its effect would fire the old schedule.
-- include: clock
-- include: schedules
if not redis.call('ZSCORE', key_schedules(), id) then
  return 'MISSING'
end
local key = key_schedule(id)
local is_own = redis.call('HGET', key, 'source') == 'decorator'
local is_new_meaning = false
for at = rest, #ARGV, 2 do
  if is_own and ARGV[at] ~= 'paused' then
    return 'DECLARED'
  end
end
for at = rest, #ARGV, 2 do
  local name, value = ARGV[at], ARGV[at + 1]
  local before = redis.call('HGET', key, name)
  redis.call('HSET', key, name, value)
  if before ~= value and (name == 'paused' or name == 'cron' or name == 'timezone') then
    is_new_meaning = true
  end
end
if is_new_meaning then
  begin_anew(id, now_ms())
else
  redis.call('HINCRBY', key, 'revision', 1)
end
return 'CHANGED'
