-- A schedule is in `schedules` while it exists and in `schedules_due`, by its next due time, while
-- it is not paused; score 0 means that a ticker has yet to compute that time. Its field `since` is
-- the time up to which everything has been fired or skipped; `revision` grows with every change;
-- `is_over` is set when no due time is left.
local WITHDRAWN_KEPT_MS = 30 * 86400000

-- wake_ticker(): one token for one blocked ticker, which then reads when the next schedule is due.
local function wake_ticker()
  if redis.call('EXISTS', key_schedules_wake()) == 0 then
    redis.call('RPUSH', key_schedules_wake(), '1')
  end
end

-- begin_anew(id, now): restart a schedule at `now`; earlier due times no longer count.
local function begin_anew(id, now)
  redis.call('HSET', key_schedule(id), 'since', now)
  redis.call('HINCRBY', key_schedule(id), 'revision', 1)
  redis.call('HDEL', key_schedule(id), 'is_over')
  if redis.call('HGET', key_schedule(id), 'paused') == '1' then
    redis.call('ZREM', key_schedules_due(), id)
  else
    redis.call('ZADD', key_schedules_due(), 0, id)
    wake_ticker()
  end
end

-- is_declared(name, cron, timezone): whether a function's own schedule is as declared ('' for
-- none).
local function is_declared(name, cron, timezone)
  if not redis.call('ZSCORE', key_schedules(), name) then
    return cron == ''
  end
  local f = redis.call('HMGET', key_schedule(name), 'cron', 'timezone')
  return f[1] == cron and f[2] == timezone
end

-- withdraw_schedule(name): remove a function's own schedule. Its hash is kept for 30 days: if the
-- function returns, a schedule that was paused must not fire.
local function withdraw_schedule(name)
  if redis.call('ZREM', key_schedules(), name) == 1 then
    redis.call('ZREM', key_schedules_due(), name)
    redis.call('PEXPIRE', key_schedule(name), WITHDRAWN_KEPT_MS)
    redis.call('PEXPIRE', key_skips(name), WITHDRAWN_KEPT_MS)
  end
end

-- declare_schedule(name, cron, timezone, now): store a function's own schedule; cron '' removes it.
local function declare_schedule(name, cron, timezone, now)
  if is_declared(name, cron, timezone) then
    return
  end
  if cron == '' then
    withdraw_schedule(name)
    return
  end
  local key = key_schedule(name)
  redis.call('HSET', key, 'function', name, 'arguments', '{}', 'cron', cron, 'timezone', timezone,
    'source', 'decorator', 'overlap', '1', 'catch_up', '0')
  redis.call('HSETNX', key, 'created_at', now)
  redis.call('HSETNX', key, 'paused', '0')
  redis.call('PERSIST', key)
  redis.call('PERSIST', key_skips(name))
  redis.call('ZADD', key_schedules(), 0, name)
  begin_anew(name, now)
end
