-- claim_invocations: a worker takes up to `limit` waiting invocations. Functions take turns, and
-- within a function its fairness keys. Then it takes up to `ahead` more (prefetch), of each
-- function only as many as `rooms` allows; all other functions keep their turn.
-- Of the invocations that were lost before, at most one is prefetched: it may kill its worker, and
-- then everything that the worker holds counts as lost with it.
--
-- ARGV     queue, worker, limit, lease_ms, ahead, rooms, expired_ttl_ms
--          rooms is pairs separated by blanks: a function's name and how many of it the worker can
--          take besides `limit`; of a function with 0 none is taken at all
-- RETURNS  {ms until something is due or -1, functions that still have work or -1 while the queue
--          is paused, {ids that expired…}, entries…}; an entry is {id, function, version, attempt,
--          token, created_at, arguments, request, traceparent, tracestate, and timeout_ms if the
--          call has one of its own}
-- WHY ONE SCRIPT  a crash between leaving its lane and getting its lease would lose an invocation;
--                 and two workers reading at the same time would both see room under a limit.
-- MOST     limit + ahead started, 100 finished or put back besides, 1,000 functions looked at, 100
--          due and 100 resumed: 30 steps each; the worker claims at most 1,000, prefetch included
-- A damaged record is set aside, and the turn goes on.
-- The first write is one that a full Redis refuses (HSET, HINCRBY, ZADD): a refusal loses nothing.
-- include: counting
-- include: clock
-- include: wake
-- include when needed: due
-- include when needed: gcra
-- include when needed: record_facts
-- include when needed: finish_record
-- include when needed: notices
-- include when needed: damaged_records
local PATIENCE_MS = 5000
local MOST_PASSED_OVER = 50
local MOST_LOOKS = 1000
local MOST_ENDED = 100
local now = now_ms()
local started_at = string.format('%.0f', now)
local queue_key, ring = key_queue(queue), key_ring(queue)
local due, held = key_due(queue), key_held(queue)
local due_at, held_at = math.huge, math.huge

-- first_of(key): the lowest score of a sorted set, or infinity.
local function first_of(key)
  return tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] or 'inf')
end

if redis.call('EXISTS', due, held) > 0 then
  due_at, held_at = first_of(due), first_of(held)
  if due_at <= now or held_at <= now then
    lazy().let_due_wait(queue, now)
    due_at, held_at = first_of(due), first_of(held)
  end
end

-- until_next(): how many ms the worker may block if nothing new arrives; -1 means without limit.
local function until_next()
  local at = math.min(due_at, held_at)
  return at == math.huge and -1 or math.max(0, math.ceil(at - now))
end

-- write_rare(): write what the lazy includes collected, if they were loaded; before every return.
local function write_rare()
  if loaded then
    loaded.write_moves(now)
  end
end

local counts = redis.call('HMGET', queue_key, 'paused', 'waiting', 'running')
if counts[1] == '1' then
  write_rare()
  return { until_next(), -1, {} }
end

-- The functions whose turns come first.
local first = redis.call('ZRANGE', ring, 0, limit)
if #first == 0 then
  write_rare()
  return { until_next(), 0, {} }
end

local expired, leased = {}, {}
local reply = { 0, 0, expired }
local most_started, more, started = tonumber(limit), tonumber(ahead), 0
local limits_of, versions, popped = {}, {}, {}
local kept, lost_before, ended, gone = {}, 0, 0, 0
local lease_end = string.format('%.0f', now + lease_ms)

-- limits_for(name): a function's limits as {concurrency, count, per_ms}; false if it has none.
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

-- start(name, id): give an invocation its lease; false if it must not start now. The whole record
-- is read: only its arguments and its request may be long, and the worker needs those anyway.
local function start(name, id)
  local record = key_record(id)
  local has_function, has_queue, created_at, status, version, arguments
  local traceparent, tracestate, request = '', '', ''
  local attempts, tokens, has_losses, expires_at, batch, watchers, timeout_ms
  local fields = redis.call('HGETALL', record)
  for at = 1, #fields, 2 do  -- comparing names costs less than building a table by name
    local field, value = fields[at], fields[at + 1]
    if field == 'function' then
      has_function = true
    elseif field == 'queue' then
      has_queue = true
    elseif field == 'created_at' then
      created_at = value
    elseif field == 'status' then
      status = value
    elseif field == 'version' then
      version = value
    elseif field == 'arguments' then
      arguments = value
    elseif field == 'traceparent' then
      traceparent = value
    elseif field == 'tracestate' then
      tracestate = value
    elseif field == 'request' then
      request = value
    elseif field == 'attempt' then
      attempts = value
    elseif field == 'token' then
      tokens = value
    elseif field == 'losses' then
      has_losses = true
    elseif field == 'expires_at' then
      expires_at = value
    elseif field == 'batch' then
      batch = value
    elseif field == 'watchers' then
      watchers = value
    elseif field == 'timeout_ms' then
      timeout_ms = value
    end
  end
  if status ~= 'queued' or not (version and created_at and arguments and has_function and has_queue) then
    lazy().check_whole({ version, created_at, arguments, status, has_function, has_queue },
      { 'version', 'created_at', 'arguments', 'status', 'function', 'queue' })
    ended = ended + 1
    return false  -- its status has changed, so this lane entry was stale
  end
  if has_losses and started >= most_started then
    lost_before = lost_before + 1
    if lost_before > 1 then
      ended = ended + 1
      kept[#kept + 1] = id
      return false
    end
  end
  if expires_at and tonumber(expires_at) <= now then
    ended = ended + 1
    lazy().finish(id, loaded.read_facts(id), 'expired', expired_ttl_ms, now, {})
    expired[#expired + 1] = id
    return false
  end
  local attempt, token, attempt_text, token_text = 1, 1, '1', '1'
  if attempts or tokens then
    attempt, token = (attempts or 0) + 1, (tokens or 0) + 1
    attempt_text, token_text = attempt, token
  end
  local serving = versions[name] or version
  if version == serving then
    redis.call('HSET', record, 'status', 'running', 'worker', worker, 'started_at', started_at,
      'attempt', attempt_text, 'token', token_text)
  else
    redis.call('HSET', record, 'status', 'running', 'worker', worker, 'started_at', started_at,
      'attempt', attempt_text, 'token', token_text, 'version', serving)
  end
  leased[2 * started + 1], leased[2 * started + 2] = lease_end, id
  started = started + 1
  if batch then
    lazy().move_in_batch(batch, 'queued', 'running')
  end
  if watchers then
    lazy().notify_watchers(id, watchers)
  end
  reply[started + 3] = { id, name, serving, attempt, token, created_at, arguments, request,
    traceparent, tracestate, timeout_ms }
  return true
end

-- room_of[name]: how many of a function may be taken besides `limit`.
local room_of = {}
for name, count in string.gmatch(rooms, '(%S+) (%d+)') do
  room_of[name] = tonumber(count)
end

-- make_limits(): functions for limits, made only when needed; most functions have no limits.
local function make_limits()
  -- throttle(name, until_ms): take away a function's turns until a time.
  local function throttle(name, until_ms)
    redis.call('ZADD', held, until_ms, name)
    redis.call('ZREM', ring, name)
    held_at = math.min(held_at, until_ms)
    gone = gone + 1
  end

  -- may_start(name): whether a function's limits allow one more start. If not, it is throttled: by
  -- its rate until the next may start; by its concurrency until one ends, or 5 s at most.
  local function may_start(name)
    local concurrency, count, per_ms = unpack(limits_of[name])  -- at most 3
    if concurrency > 0 and redis.call('SCARD', key_running(name)) >= concurrency then
      throttle(name, now + PATIENCE_MS)
      return false
    end
    if count > 0 then
      local tolerance = math.max(100, per_ms / count) - per_ms / count
      local at = lazy().pace('fn:' .. name, tolerance)
      if at > now then
        throttle(name, math.ceil(at))
        return false
      end
    end
    return true
  end

  local function count_start(name, id)
    local concurrency, count, per_ms = unpack(limits_of[name])  -- at most 3
    if concurrency > 0 then
      redis.call('SADD', key_running(name), id)
    end
    if count > 0 then
      lazy().count_start('fn:' .. name, now, count, per_ms)
    end
  end

  return { may_start = may_start, count_start = count_start }
end

-- look(name, most): what a function's turn offers: the first ids of the fairness key whose turn it
-- is, at most `most`, but one if fairness keys take turns; plus one more id if there are more.
local function look(name, most)
  local keys = key_keys(queue, name)
  local key, other = unpack(redis.call('ZRANGE', keys, 0, 1))  -- at most 2
  if not key then
    return nil
  end
  most = other and 1 or most
  local lane = key_lane(queue, name, key)
  local ids = redis.call('ZRANGE', lane, 0, most)
  return {
    name = name, keys = keys, key = key, has_more_keys = other, lane = lane, ids = ids,
    most = math.min(most, #ids), taken = 0, is_limited = false,
  }
end

-- end_turn(turn, is_alone): remove what was started from its lane. The fairness key and the
-- function go to the end of their rings, unless they are alone there or have no more work.
local function end_turn(turn, is_alone)
  local name, taken = turn.name, turn.taken
  local has_more = #turn.ids > taken
  popped[name] = (popped[name] or 0) + taken
  if has_more and taken == 0 then
    return
  elseif has_more then
    redis.call('ZREMRANGEBYRANK', turn.lane, 0, taken - 1)
  elseif turn.has_more_keys then
    redis.call('DEL', turn.lane)
    redis.call('ZREM', turn.keys, turn.key)
  else
    gone = gone + 1
    if is_alone and ended == 0 then  -- otherwise a function may have returned to the ring
      redis.call('DEL', turn.lane, turn.keys, ring)
    else
      redis.call('DEL', turn.lane, turn.keys)
      redis.call('ZREM', ring, name)
    end
    return
  end
  if turn.has_more_keys or not is_alone then
    local at = add_to_count(queue_key, 'turns', 1)
    if has_more then
      redis.call('ZADD', turn.keys, at, turn.key)
    end
    if not is_alone then
      redis.call('ZADD', ring, at, name)
    end
  end
end

-- begin(turn, at, limits): start the turn's invocation number `at`; a damaged record is set aside.
local function begin(turn, at, limits)
  local name, id = turn.name, turn.ids[at]
  turn.taken = at
  local is_sound, has_started = pcall(start, name, id)
  if not is_sound then
    lazy().set_aside(id, has_started, now, { queue = queue, function_name = name })
    ended = ended + 1
  elseif has_started and turn.is_limited then
    limits.count_start(name, id)
  end
end

-- take(): take turns in rounds. In a round each function in the ring has one turn, with an equal
-- share of the room; then the functions' invocations are started alternately. Functions that are
-- passed over stay in front of those that have had a turn. Returns how many functions still have
-- work.
local function take()
  local passed_over, looks, left, limits = 0, 0, nil, nil
  while ended < MOST_ENDED and left ~= 0 do
    local is_ahead = started >= most_started
    local room = (is_ahead and most_started + more or most_started) - started
    local most = math.min(room + (is_ahead and MOST_PASSED_OVER or 0), MOST_LOOKS - looks)
    if room <= 0 or most <= 0 or passed_over >= MOST_PASSED_OVER then
      break
    end
    local names = looks == 0 and not is_ahead and first
      or redis.call('ZRANGE', ring, passed_over, passed_over + most)
    local are_all = #names <= most
    local is_alone = are_all and #names == 1 and passed_over == 0
    local share = are_all and math.max(1, math.floor(room / math.max(1, #names))) or 1
    local turns, longest = {}, 0
    left = are_all and passed_over + #names + gone or nil
    for i = 1, math.min(#names, most) do
      if room <= 0 or passed_over >= MOST_PASSED_OVER then
        break
      end
      looks = looks + 1
      local name = names[i]
      local is_limited = limits_for(name) and true
      limits = limits or is_limited and make_limits()
      local own = room_of[name] or 0
      if is_ahead and own <= 0 or room_of[name] == 0 then
        passed_over = passed_over + 1
      elseif not is_limited or limits.may_start(name) then
        local of_all = is_ahead and 0 or room  -- this many do not count against the function's room
        local at_most = is_ahead and math.min(share, own) or share
        if is_alone and not is_ahead then
          room = room + math.min(more, own)
          at_most = room
        end
        local is_sound, turn = pcall(look, name, is_limited and 1 or math.min(at_most, room))
        if is_sound and turn then
          turn.is_limited = is_limited
          room = room - turn.most
          room_of[name] = room_of[name] and own - math.max(0, turn.most - of_all)
          longest = math.max(longest, turn.most)
          turns[#turns + 1] = turn
        else
          redis.call('ZREM', ring, name)
          gone = gone + 1
        end
        if not is_sound then
          error(turn, 0)
        end
      end
    end
    for at = 1, longest do
      for i = 1, #turns do
        if at <= turns[i].most and ended < MOST_ENDED then
          begin(turns[i], at, limits)
        end
      end
    end
    for i = 1, #turns do
      end_turn(turns[i], is_alone)
    end
    left = left and left - gone
    if #turns == 0 and are_all then
      break
    end
  end
  return left or redis.call('ZCARD', ring)
end

-- Whatever has started gets its lease, even after an error: without one nobody would take it over.
local is_sound, remaining = pcall(take)
if started > 0 then
  redis.call('ZADD', key_leases(), unpack(leased))  -- at most 1,000 pairs
end
-- An error is only raised if nothing has started: the worker must learn what it holds leases for.
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
  local is_back, reason = pcall(lazy().put_back, queue, id)
  if not is_back then
    loaded.set_aside(id, reason, now, { queue = queue })
  end
  reply[2] = redis.call('ZCARD', ring)
end
write_rare()
if reply[2] > 0 then
  wake(queue)
end
reply[1] = until_next()
return reply
