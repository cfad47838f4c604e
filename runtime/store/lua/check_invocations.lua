-- check_invocations: check that records are listed where their statuses require.
--
-- ARGV     repair, kept_ms, ids...
--          at most 100 ids; kept_ms is the retention of a finished record that has lost its own
-- RETURNS  {how many records existed, {findings…}}, see include/findings.lua
-- MOST     100 records of 40 steps each, 16 tags among them; 2,000 functions looked up
-- WHY ONE SCRIPT  a record and the sets that list it change together, so they can only be compared
--                 in one step; and the repair must fit what was compared.
-- include: clock
-- include: lanes
-- include: create_delivery
-- include: finish_record
-- include: damaged_records
-- include: findings
-- include: expected_state
local DELIVERED_MS = 604800000
local now = now_ms()

local function check_waiting(id, f)
  local key = f.key or ''
  if f.status == 'queued' then
    local lane = key_lane(f.queue, f['function'], key)
    if not redis.call('ZSCORE', lane, id)
      and found('missing_in_lane', id, 'queued, but in no lane', 'in its lane') then
      redis.call('ZADD', lane, urgency(tonumber(f.priority or '5') or 5, tonumber(f.created_at)), id)
      join_turns(f.queue, f['function'], key)
      wake(f.queue)
    end
  elseif not redis.call('ZSCORE', key_due(f.queue), id)
    and found('missing_in_due', id, f.status .. ', but never due', 'due at its moment') then
    put_later(f.queue, id, f.status == 'scheduled' and f.scheduled_for or f.retry_at or now)
  end
  if f.expires_at and not redis.call('ZSCORE', key_expiring(), id)
    and found('missing_in_expiring', id, 'has a max_age, but never expires', 'expires') then
    redis.call('ZADD', key_expiring(), f.expires_at, id)
  end
end

local function check_ended(id, f)
  local record = key_record(id)
  local kept_for = redis.call('PTTL', record)
  if not redis.call('ZSCORE', key_retention(), id) or kept_for < 0 then
    if found('missing_in_retention', id, 'ended, but kept for ever', 'kept for its retention') then
      redis.call('ZADD', key_retention(), 'NX', now + kept_ms, id)
      redis.call('PEXPIRE', record, kept_ms + 3600000)
    end
  end
  local delivery = 'dlv_' .. id
  if f.callback and tonumber(f.finished_at or '0') > now - DELIVERED_MS
    and redis.call('EXISTS', key_delivery(delivery)) == 0
    and found('missing_delivery', id, 'ended, but its callback is not sent', 'a delivery') then
    redis.call('HSET', record, 'delivery', delivery)
    create_delivery(delivery, id, f['function'], f.status, f.callback, now)
  end
end

local function check_indexes(id, f)
  local names = { index_of(f.status), index_of_function(f.status, f['function']) }
  -- A member that was cancelled before it joined the queue gets its tags together with its batch.
  local joins = f.batch and redis.call('HEXISTS', key_batch(f.batch), 'join') == 1
  for _, tag in ipairs(joins and {} or tags_of(f)) do
    names[#names + 1] = 'tag:' .. tag
  end
  for _, name in ipairs(names) do
    if not redis.call('ZSCORE', key_index(name), id)
      and found('missing_in_index', id, 'not in the index ' .. name, 'in it') then
      redis.call('ZADD', key_index(name), 0, id)
    end
  end
end

-- function_of(id, status): the function whose index lists a finished record that lost its function.
local looks_left = 2000
local function function_of(id, status)
  for _, name in ipairs(redis.call('HKEYS', key_waiting())) do
    looks_left = looks_left - 1
    if looks_left < 0 then
      break
    end
    if redis.call('ZSCORE', key_index(index_of_function(status, name)), id) then
      return name
    end
  end
  return 'unknown'
end

local looked = 0
local function check(id)
  local f = standing_of(id)
  if not f then
    redis.call('HLEN', key_record(id))  -- raises an error if the key has another type
  else
    looked = looked + 1
    local lacks = lacking(f)
    local is_mended = lacks == ''
    if lacks ~= '' and found('incomplete_record', id, 'lacks ' .. lacks, 'in quarantine') then
      if HAS_ENDED[f.status] then
        f['function'] = function_of(id, f.status)
        redis.call('HSET', key_record(id), 'function', f['function'])
        is_mended = true  -- so that this check also corrects where it is listed
      else
        set_aside(id, 'its record lacks ' .. lacks, now, { in_lane = true })
      end
    end
    if is_mended then
      if f.status == 'running' then
        if not redis.call('ZSCORE', key_leases(), id)
          and found('missing_lease', id, 'running, but nobody has its lease', 'taken over') then
          redis.call('ZADD', key_leases(), now, id)
        end
      elseif WAITS[f.status] then
        check_waiting(id, f)
      else
        check_ended(id, f)
      end
      check_indexes(id, f)
    end
  end
end

for at = rest, #ARGV do
  examine(ARGV[at], check)
end
write_moves(now)
return { looked, findings }
