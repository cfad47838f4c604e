-- check_places: check that the members of a set belong there.
--
-- ARGV     repair, place, name, ids...
--          at most 200 ids; place is leases, due, expiring, retention, index, running, lane, keys
--          or ring; name is the queue, the index or the function; for keys "queue function", and
--          for a lane "queue function fairness_key"
-- RETURNS  {how many were there, {findings…}}, see include/findings.lua
-- MOST     200 ids of 8 steps each
-- WHY ONE SCRIPT  as check_invocations.
-- include: clock
-- include: lanes
-- include: findings
-- include: expected_state
local now = now_ms()
local queue, function_name, fairness_key = string.match(name, '^(%S*) ?(%S*) ?(.*)$')
local WHERE = {
  leases = key_leases(), due = key_due(queue), expiring = key_expiring(),
  retention = key_retention(), index = key_index(name), running = key_running(name),
  lane = key_lane(queue, function_name, fairness_key), keys = key_keys(queue, function_name),
  ring = key_ring(queue),
}
local where = WHERE[place]

-- mend_index converts the indexes of release 0.1.
local function fits_index(f)
  if name == 'all' or string.sub(name, 1, 3) == 'fn:' then
    return true
  end
  local tag = string.match(name, '^tag:(.*)$')
  if not tag then
    return name == index_of(f.status) or name == index_of_function(f.status, f['function'])
  end
  for _, one in ipairs(tags_of(f)) do
    if one == tag then
      return true
    end
  end
  return false
end

-- For each place: whether a record that lacks nothing belongs there.
local FITS = {
  leases = function(f) return f.status == 'running' end,
  due = function(f)
    return (f.status == 'scheduled' or f.status == 'retrying') and f.queue == queue
  end,
  expiring = function(f) return not HAS_ENDED[f.status] end,
  retention = function(f) return HAS_ENDED[f.status] end,
  index = fits_index,
  running = function(f) return f.status == 'running' and f['function'] == name end,
  lane = function(f)
    return f.status == 'queued' and f.queue == queue and f['function'] == function_name
      and (f.key or '') == fairness_key
  end,
}

local function is_there(id)
  if place == 'running' then
    return redis.call('SISMEMBER', where, id) == 1
  end
  return redis.call('ZSCORE', where, id)
end

local function drop(id)
  if place == 'running' then
    redis.call('SREM', where, id)
    local of = redis.call('HGET', key_record(id), 'queue')
    for _, one in ipairs(of and { of } or redis.call('SMEMBERS', key_queues())) do
      resume_function(one, name)
    end
    return
  end
  redis.call('ZREM', where, id)
  if place == 'lane' and redis.call('EXISTS', where) == 0 then
    redis.call('ZREM', key_keys(queue, function_name), fairness_key)
    if redis.call('EXISTS', key_keys(queue, function_name)) == 0 then
      redis.call('ZREM', key_ring(queue), function_name)
    end
  end
end

-- what_is_wrong(id): why an id does not belong there; nil if it does.
local function what_is_wrong(id)
  if place == 'keys' then
    return redis.call('EXISTS', key_lane(queue, function_name, id)) == 0 and 'nothing waits there'
  elseif place == 'ring' then
    return redis.call('EXISTS', key_keys(queue, id)) == 0 and 'nothing waits there'
  end
  local f = standing_of(id)
  if not f then
    -- If its retention is over as well, delete_expired will remove the entry.
    local is_due = place == 'retention' and tonumber(redis.call('ZSCORE', where, id)) <= now
    return not is_due and 'there is no such record'
  end
  if lacking(f) ~= '' then
    return nil -- check_invocations reports it
  end
  return not FITS[place](f) and 'it is ' .. f.status
end

local looked = 0
for at = rest, #ARGV do
  local id = ARGV[at]
  if is_there(id) then
    looked = looked + 1
    local wrong = what_is_wrong(id)
    if wrong then
      local shown = name ~= '' and place .. ' of ' .. name or place
      if found('stray_in_' .. place, id, 'in ' .. shown .. ', but ' .. wrong, 'not there') then
        drop(id)
      end
    end
  end
end
return { looked, findings }
