-- check_schedules: check that schedules will be ticked unless they are paused.
--
-- ARGV     repair, ids...
--          at most 200 ids of schedules that are listed or due
-- RETURNS  {how many existed, {findings…}}, see include/findings.lua
-- MOST     200 schedules of 8 steps each
-- WHY ONE SCRIPT  as check_invocations.
-- include: clock
-- include: schedules
-- include: findings
local looked = 0
local function check(id)
  local f = redis.call('HMGET', key_schedule(id), 'function', 'cron', 'timezone', 'paused', 'is_over')
  local is_listed = redis.call('ZSCORE', key_schedules(), id)
  local is_due = redis.call('ZSCORE', key_schedules_due(), id)
  looked = looked + ((is_listed or is_due) and 1 or 0)
  if is_listed and not (f[1] and f[2] and f[3]) then
    found_only('incomplete_schedule', id, 'its function, cron or timezone is missing',
      'deleted, or declared anew')
  elseif is_due and not is_listed then
    if found('stray_in_schedules_due', id, 'ticked, but not listed', 'not ticked') then
      redis.call('ZREM', key_schedules_due(), id)
    end
  elseif is_listed and f[4] ~= '1' and not is_due then
    if not f[5] and found('missing_in_schedules_due', id, 'not paused, but never ticked', 'ticked') then
      redis.call('ZADD', key_schedules_due(), 0, id)
      wake_ticker()
    end
  elseif is_listed and f[4] == '1' and is_due then
    if found('stray_in_schedules_due', id, 'paused, but ticked', 'not ticked') then
      redis.call('ZREM', key_schedules_due(), id)
    end
  end
end

for at = rest, #ARGV do
  examine(ARGV[at], check)
end
return { looked, findings }
