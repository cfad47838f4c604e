-- claim_invocations: a worker takes up to `limit` waiting invocations; functions take turns, and
-- within a function its fairness keys. When that many are taken it takes up to `ahead` more, of
-- functions that its caller names as quick and that have no limit; all others keep their turn. Of
-- those that were lost before no more than one goes ahead at a time: one of them may kill its
-- worker, and then all that the worker holds are counted as lost with it.
--
-- ARGV     queue, worker, limit, lease_ms, ahead, quick, expired_ttl_ms
--          quick is names of functions, separated by blanks
-- RETURNS  {ms until something falls due or -1, functions that still have work or -1 while the
--          queue is paused, {ids that have expired…}, entries…}; an entry is {id, function, version,
--          attempt, token, created_at, arguments, request, traceparent, tracestate}
-- WHY ONE SCRIPT  between leaving its lane and being leased an invocation would belong to nobody;
--                 and two workers that look at once would both see room under a limit.
-- MOST     limit + ahead started, 100 ended or put back besides, 1,000 functions looked at, 100 fallen
--          due and 100 let go on: 30 steps each; its caller claims at most 1,000 with those ahead
-- One damaged record harms no other: it is set aside, and the turn goes on.
-- The first write is one that a full Redis refuses (HSET, HINCRBY), so that a refusal changes nothing.
-- include: counting
-- include: clock
-- include: wake
-- include when needed: lanes
-- include when needed: pace
-- include when needed: facts
-- include when needed: finish
-- include when needed: notices
-- include when needed: quarantine
local PATIENCE_MS = 5000
local MOST_PASSED_OVER = 50
local MOST_LOOKS = 1000
local MOST_ENDED = 100
local now = now_ms()
local started_at = string.format('%.0f', now)
local queue_key, ring = key_queue(queue), key_ring(queue)
local due, held = key_due(queue), key_held(queue)
local due_at, held_at = math.huge, math.huge

-- look_after_due(): let those wait in their lanes whose moment has come.
local function look_after_due()
  -- fall_due(id): its moment has come: it waits in its lane.
  local function fall_due(id)
    local at = tonumber(redis.call('ZSCORE', due, id))
    local was = rare().read_facts(id)
    made.check_facts(was)
    if was.status ~= 'scheduled' and was.status ~= 'retrying' then
      return
    end
    made.put_in_lane(queue, was.function_name, was.key, id, made.urgency(was.priority, at))
    redis.call('HSET', key_record(id), 'status', 'queued')
    redis.call('ZREM', key_index(was.status), id)
    redis.call('ZREM', key_index(was.status .. ':' .. was.function_name), id)
    redis.call('ZADD', key_index('live'), 0, id)
    redis.call('ZADD', key_index('live:' .. was.function_name), 0, id)
    if was.batch then
      made.move_in_batch(was.batch, was.status, 'queued')
    end
    made.poke(id, was.watchers)
  end

  add_to_count(queue_key, 'claims', 1)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, 100)) do
    local is_sound, reason = pcall(fall_due, id)
    if not is_sound then
      rare().set_aside(id, reason, now, { queue = queue })
    end
    redis.call('ZREM', due, id)
  end
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', held, '-inf', now, 'LIMIT', 0, 100)) do
    rare().let_go_on(queue, name)
  end
end

-- first_of(key): the score of a sorted set's first member, or infinity.
local function first_of(key)
  return tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] or 'inf')
end

if redis.call('EXISTS', due, held) > 0 then
  due_at, held_at = first_of(due), first_of(held)
  if due_at <= now or held_at <= now then
    look_after_due()
    due_at, held_at = first_of(due), first_of(held)
  end
end

-- until_next(): for how long the caller may block if nothing new comes.
local function until_next()
  local at = math.min(due_at, held_at)
  return at == math.huge and -1 or math.max(0, math.ceil(at - now))
end

-- write_rare(): what was gathered and tallied, if anything was; before every end of this script.
local function write_rare()
  if made then
    made.write_moves(now)
  end
end

local counts = redis.call('HMGET', queue_key, 'paused', 'waiting', 'running')
if counts[1] == '1' then
  write_rare()
  return { until_next(), -1, {} }
end

local first, second = unpack(redis.call('ZRANGE', ring, 0, 1))  -- at most 2
if not first then
  write_rare()
  return { until_next(), 0, {} }
end

local expired, leased = {}, {}
local reply = { 0, 0, expired }
local most_started, more, started = tonumber(limit), tonumber(ahead), 0
local limits_of, versions, popped = {}, {}, {}
local kept, lost_before, ended = {}, 0, 0
local lease_end = string.format('%.0f', now + lease_ms)

-- limits_for(name): a function's limits as {concurrency, count, per_ms}, false where it has none.
local function limits_for(name)
  if limits_of[name] == nil then
    local limits = redis.call('HGET', key_limits(), name)
    versions[name] = redis.call('HGET', key_versions(), name)
    limits_of[name] = false
    if limits then
      local concurrency, count, per_ms = string.match(limits, '^(%d+) (%d+) (%d+)$')
      limits_of[name] = concurrency
        and { tonumber(concurrency), tonumber(count), tonumber(per_ms) } or false
    end
  end
  return limits_of[name]
end

-- start(name, id): what leaves its lane gets its lease; false if it is not to start now.
-- Every record has six fields at its birth, more if a gateway waits for its end or its caller is
-- known; only of one that has others it is asked what few have.
local function start(name, id)
  local record = key_record(id)
  local f = redis.call('HMGET', record, 'version', 'created_at', 'arguments', 'waiters',
    'caller', 'status', 'function', 'queue')
  if f[6] ~= 'queued' or not (f[1] and f[2] and f[3] and f[7] and f[8]) then
    rare().check_whole(f, { 'version', 'created_at', 'arguments', '', '', 'status', 'function',
      'queue' })
    ended = ended + 1
    return false  -- it has moved on, so that this place in a lane was not its own
  end
  local attempt, token, m = '1', '1', nil
  local known = (f[4] and 7 or 6) + (f[5] and 1 or 0)
  if redis.call('HLEN', record) ~= known then
    m = redis.call('HMGET', record, 'expires_at', 'attempt', 'token', 'batch', 'watchers', 'request',
      'traceparent', 'tracestate', 'losses')
    if m[9] and started >= most_started then
      lost_before = lost_before + 1
      if lost_before > 1 then
        ended = ended + 1
        kept[#kept + 1] = id
        return false
      end
    end
    if m[1] and tonumber(m[1]) <= now then
      ended = ended + 1
      rare().finish(id, made.read_facts(id), 'expired', expired_ttl_ms, now, {})
      expired[#expired + 1] = id
      return false
    end
    attempt, token = (m[2] or 0) + 1, (m[3] or 0) + 1
  end
  local version = versions[name] or f[1]
  if version == f[1] then
    redis.call('HSET', record, 'status', 'running', 'worker', worker, 'started_at', started_at,
      'attempt', attempt, 'token', token)
  else
    redis.call('HSET', record, 'status', 'running', 'worker', worker, 'started_at', started_at,
      'attempt', attempt, 'token', token, 'version', version)
  end
  leased[2 * started + 1], leased[2 * started + 2] = lease_end, id
  started = started + 1
  if m then
    if m[4] then
      rare().move_in_batch(m[4], 'queued', 'running')
    end
    if m[5] then
      rare().poke(id, m[5])
    end
    reply[started + 3] = { id, name, version, attempt, token, f[2], f[3], m[6] or '', m[7] or '',
      m[8] or '' }
  else
    reply[started + 3] = { id, name, version, 1, 1, f[2], f[3], '', '', '' }
  end
  return true
end

-- begin(name, id): as start; a record with which something is wrong is set aside.
local function begin(name, id)
  local is_sound, has_started = pcall(start, name, id)
  if is_sound then
    return has_started
  end
  rare().set_aside(id, has_started, now, { queue = queue, function_name = name })
  ended = ended + 1
  return false
end

-- may_go_ahead(name, limits): whether it may be taken although the limit is used up.
local function may_go_ahead(name, limits)
  return more > 0 and not limits
    and string.find(' ' .. quick .. ' ', ' ' .. name .. ' ', 1, true) ~= nil
end

-- room_left(): for how many there is room, and whether only for those that may go ahead.
local function room_left()
  local is_ahead = started >= most_started
  return (is_ahead and most_started + more or most_started) - started, is_ahead
end

-- take_alone(name, keys, key): who is alone has all turns: many leave its lane at once. Returns how
-- many functions still have work.
local function take_alone(name, keys, key)
  local lane = key_lane(queue, name, key)
  local most = most_started + (may_go_ahead(name, false) and more or 0)
  while started < most and ended < MOST_ENDED do
    local room = most - started
    local ids = redis.call('ZRANGE', lane, 0, room)
    local count, left = 0, math.min(#ids, room)
    while count < left and ended < MOST_ENDED do
      count = count + 1
      begin(name, ids[count])
    end
    popped[name] = (popped[name] or 0) + count
    if #ids == count then
      redis.call('DEL', lane, keys, ring)
      return 0
    end
    redis.call('ZREMRANGEBYRANK', lane, 0, count - 1)
  end
  return 1
end

-- take_turns(): round by round; in a round all functions of the ring have one turn, each for an equal
-- share of the room, and what they gave is started one of each after the other.
local function take_turns()
  -- hold(name, until_ms): a function has no turn before.
  local function hold(name, until_ms)
    redis.call('ZADD', held, until_ms, name)
    held_at = math.min(held_at, until_ms)
  end

  -- may_start(name, limits): whether a function's limits let one more start; if not it is held
  -- until it may, or until a running one ends.
  local function may_start(name, limits)
    local concurrency, count, per_ms = unpack(limits)  -- at most 3
    if concurrency > 0 and redis.call('SCARD', key_running(name)) >= concurrency then
      hold(name, now + PATIENCE_MS)
      return false
    end
    if count > 0 then
      local tolerance = math.max(100, per_ms / count) - per_ms / count
      local at = rare().pace('fn:' .. name, tolerance)
      if at > now then
        hold(name, math.ceil(at))
        return false
      end
    end
    return true
  end

  local function count_limits(name, limits, id)
    local concurrency, count, per_ms = unpack(limits)  -- at most 3
    if concurrency > 0 then
      redis.call('SADD', key_running(name), id)
    end
    if count > 0 then
      rare().count_start('fn:' .. name, now, count, per_ms)
    end
  end

  -- take_share(name, limits, most): what a function's turn brings: a list as ZPOPMIN gives it. One
  -- where it has a limit or its fairness keys take turns.
  local function take_share(name, limits, most)
    local keys = key_keys(queue, name)
    local key = redis.call('ZPOPMIN', keys)[1]
    if not key then
      return {}
    end
    local has_more_keys = redis.call('EXISTS', keys) == 1
    if limits or has_more_keys then
      most = 1
    end
    local lane = key_lane(queue, name, key)
    local ids = redis.call('ZPOPMIN', lane, most)
    local has_more = #ids == 2 * most and redis.call('EXISTS', lane) == 1
    if has_more or has_more_keys then
      local turn = add_to_count(queue_key, 'turns', 1)
      if has_more then
        redis.call('ZADD', keys, turn, key)
      end
      redis.call('ZADD', ring, turn, name)
    end
    popped[name] = (popped[name] or 0) + #ids / 2
    return ids
  end

  add_to_count(queue_key, 'claims', 1)
  local passed_over, looks = {}, 0
  while ended < MOST_ENDED do
    local room, is_ahead = room_left()
    local count = math.min(redis.call('ZCARD', ring), MOST_LOOKS - looks)
    local share = math.max(1, math.floor(room / math.max(1, count)))
    local turns, longest = {}, 0
    for _ = 1, count do
      if room <= 0 or #passed_over >= MOST_PASSED_OVER then
        break
      end
      looks = looks + 1
      local turn = redis.call('ZPOPMIN', ring)
      local name = turn[1]
      local limits = limits_for(name)
      if is_ahead and not may_go_ahead(name, limits) then
        passed_over[#passed_over + 1] = turn
      elseif not limits or may_start(name, limits) then
        local ids = take_share(name, limits, math.min(share, room))
        room = room - #ids / 2
        longest = math.max(longest, #ids)
        turns[#turns + 1] = { name, limits, ids }
      end
    end
    for at = 1, longest, 2 do
      for _, turn in ipairs(turns) do
        local name, limits, id = turn[1], turn[2], turn[3][at]
        if id and begin(name, id) and limits then
          count_limits(name, limits, id)
        end
      end
    end
    if #turns == 0 then
      break
    end
  end
  -- Where they stood: before those that have had a turn.
  for _, turn in ipairs(passed_over) do
    redis.call('ZADD', ring, 'NX', turn[2], turn[1])
  end
  return redis.call('ZCARD', ring)
end

-- take(): returns how many functions still have work.
local function take(first, second)
  if not second and not limits_for(first) then
    local keys = key_keys(queue, first)
    local two = redis.call('ZRANGE', keys, 0, 1)
    if two[1] and not two[2] then
      return take_alone(first, keys, two[1])
    end
  end
  return take_turns()
end

-- What has started has a lease, whatever happens: nobody may lose it to an error.
local is_sound, remaining = pcall(take, first, second)
if started > 0 then
  redis.call('ZADD', key_leases(), unpack(leased))  -- at most 1,000 pairs
end
if not is_sound and started + ended == 0 then
  error(remaining, 0)
end
reply[2] = is_sound and remaining or redis.call('ZCARD', ring)
local total = 0
for name, count in pairs(popped) do
  if count > 0 then
    total = total + count
    add_to_count(key_waiting(), name, -count)
  end
end
if total > 0 then
  redis.call('HSET', queue_key, 'waiting', (tonumber(counts[2]) or 0) - total,
    'running', (tonumber(counts[3]) or 0) + started)
end
for _, id in ipairs(kept) do
  local is_back, reason = pcall(rare().put_back, queue, id)
  if not is_back then
    made.set_aside(id, reason, now, { queue = queue })
  end
  reply[2] = redis.call('ZCARD', ring)
end
write_rare()
if reply[2] > 0 then
  wake(queue)
end
reply[1] = until_next()
return reply
