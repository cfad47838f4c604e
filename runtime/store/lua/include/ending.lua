-- What every ending writes whatever else ends with it: fields of its record, its places in the
-- indexes of what has ended, its counts. What endings of one function share is made once a script.
-- include: gather
-- include: tally
local places, kept = {}, {}
local finished_at

-- place_of(name, status): where a function's endings with a status go and are counted.
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
    }
    of_name[status] = place
  end
  return place
end

-- kept_for(ttl_ms, now): until when, as the sweep reads it, and the record's own time to live: the
-- sweep takes the record away in time; the latter is for a system in which nothing sweeps.
local function kept_for(ttl_ms, now)
  local times = kept[ttl_ms]
  if not times then
    times = { string.format('%.0f', now + ttl_ms), string.format('%.0f', ttl_ms + 3600000) }
    kept[ttl_ms] = times
  end
  return times[1], times[2]
end

-- end_record(id, place, status, ttl_ms, now, fields): `fields` are further pairs of the record. One
-- that was scheduled or retrying leaves those indexes besides.
local function end_record(id, place, status, ttl_ms, now, fields)
  local record = key_record(id)
  local until_ms, live_ms = kept_for(ttl_ms, now)
  finished_at = finished_at or string.format('%.0f', now)
  redis.call('HSET', record, 'status', status, 'finished_at', finished_at, unpack(fields))  -- at most 12
  redis.call('PEXPIRE', record, live_ms)
  tally(place.field, 1)
  local of_status, of_both = place.of_status, place.of_both
  local at = #of_status
  of_status[at + 1], of_status[at + 2] = '0', id
  at = #of_both
  of_both[at + 1], of_both[at + 2] = '0', id
  place.live[#place.live + 1] = id
  place.live_of_name[#place.live_of_name + 1] = id
  add_member(key_retention(), until_ms, id)
end
