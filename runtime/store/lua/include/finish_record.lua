-- The only way an invocation finishes, whatever its options. A rare option costs other invocations
-- one look at an absent field. What invocations of one function share is computed once in each
-- script.
-- include: deferred_writes
-- include: counters
-- include: notify_fast
-- include when needed: batch_counts
-- include when needed: create_delivery
-- include when needed: notices
local places, kept, moved, moments = {}, {}, {}, {}
local finished_at

-- moment(text): a time in ms as a number. Invocations that finish together often started together,
-- and a look-up costs less than parsing the number again.
local function moment(text)
  local at = moments[text]
  if not at then
    at = text + 0
    moments[text] = at
  end
  return at
end

-- place_of(name, status): the index entries and counter names for a function's finished
-- invocations.
local function place_of(name, status)
  local of_name = places[name]
  if not of_name then
    of_name = { run = name .. ':run', queue = name .. ':queue' }
    places[name] = of_name
  end
  local place = of_name[status]
  if not place then
    local field = name .. ':' .. status
    place = {
      field = field, run = of_name.run, queue = of_name.queue,
      of_status = entries_of(key_index('end:' .. status)),
      of_both = entries_of(key_index('end:' .. field)),
      live = departures_of(key_index('live')),
      live_of_name = departures_of(key_index('live:' .. name)),
      retention = entries_of(key_retention()),
    }
    of_name[status] = place
  end
  return place
end

-- move_in_batch(batch, before, after, count): note that members of a batch (1 if not given) changed
-- their status. write_moves() counts them.
local function move_in_batch(batch, before, after, count)
  local moves = moved[batch] or {}
  local move = (before or '') .. ' ' .. after
  moves[move] = (moves[move] or 0) + (count or 1)
  moved[batch] = moves
end

-- write_moves(now): write what was collected. Every script that finishes or moves invocations calls
-- it near its end.
local function write_moves(now)
  for batch, moves in pairs(moved) do
    for move, count in pairs(moves) do
      local before, after = string.match(move, '^(%a*) (%a+)$')
      lazy().count_in_batch(batch, now, before ~= '' and before or nil, after, count)
    end
  end
  moved = {}
  write_gathered()
  write_tally(now)
end

-- finish(id, was, status, ttl_ms, now, fields): finish an invocation. `was` comes from read_facts
-- or has the same fields; `fields` are further names and values for the record.
local function finish(id, was, status, ttl_ms, now, fields)
  local name, record = was.function_name, key_record(id)
  local place = place_of(name, status)
  local ran_ms, waited_ms  -- computed before the first write, as a damaged field raises an error
  if was.status == 'running' then
    local started_at = moment(was.started_at)
    ran_ms = now - started_at
    if was.attempt == '1' then
      waited_ms = math.max(0, started_at - moment(was.scheduled_for or was.created_at))
    end
  end
  local delivery_id = was.callback and 'dlv_' .. id
  if delivery_id then
    fields[#fields + 1] = 'delivery'
    fields[#fields + 1] = delivery_id
    ttl_ms = math.max(tonumber(ttl_ms), 604800000)
  end
  -- delete_expired removes the record after its retention. The time to live, an hour longer, is a
  -- fallback for when no worker runs it.
  local times = kept[ttl_ms]
  if not times then
    times = { string.format('%.0f', now + ttl_ms), string.format('%.0f', ttl_ms + 3600000) }
    kept[ttl_ms] = times
  end
  local until_ms, live_ms = times[1], times[2]
  finished_at = finished_at or string.format('%.0f', now)
  redis.call('HSET', record, 'status', status, 'finished_at', finished_at, unpack(fields))  -- at most 12
  redis.call('PEXPIRE', record, live_ms)
  if was.attempt and (was.attempt ~= '1' or was.status ~= 'running') then
    redis.call('PEXPIRE', key_history(id), live_ms)
    redis.call('PEXPIRE', key_outputs(id), live_ms)
  end
  local of_status, of_both, retention = place.of_status, place.of_both, place.retention
  local at = #of_status
  of_status[at + 1], of_status[at + 2] = '0', id
  at = #of_both
  of_both[at + 1], of_both[at + 2] = '0', id
  at = #retention
  retention[at + 1], retention[at + 2] = until_ms, id
  place.live[#place.live + 1] = id
  place.live_of_name[#place.live_of_name + 1] = id
  if was.status == 'scheduled' or was.status == 'retrying' then
    remove_member(key_index(was.status), id)
    remove_member(key_index(was.status .. ':' .. name), id)
  end
  tally(place.field, 1)
  if ran_ms then
    tally_time(place.run, ran_ms)
  end
  if waited_ms then
    tally_time(place.queue, waited_ms)
  end
  if delivery_id then
    lazy().create_delivery(delivery_id, id, name, status, was.callback, now)
  end
  if was.expires_at then
    redis.call('ZREM', key_expiring(), id)
  end
  if was.watchers then
    lazy().notify_watchers(id, was.watchers)
  end
  if was.waiters and was.notified_fields then
    notify_fast(id, was, place, status, finished_at, fields)
  elseif was.waiters then
    lazy().notify(id, was.waiters)
  end
  if was.batch then
    move_in_batch(was.batch, was.status, status)
  end
end
