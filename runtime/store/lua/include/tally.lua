-- Statistics are gathered while a script runs and written once at its end: in the totals that
-- /metrics shows, and in the minute that the charts show.
--
-- Histograms have the upper bounds below, in ms; field "<function>:run:<i>" counts what took at
-- most the i-th bound, the last one all the rest.
local BOUNDS = { 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000 }
local FIELDS_AT_ONCE = 500
local tallied, times = {}, {}

local function tally(field, n)
  tallied[field] = (tallied[field] or 0) + n
end

local function tally_time(name, ms)
  local counts = times[name]
  if not counts then
    counts = { ms = 0 }
    times[name] = counts
  end
  local i = 1
  while BOUNDS[i] and ms > BOUNDS[i] do
    i = i + 1
  end
  counts[i] = (counts[i] or 0) + 1
  counts.ms = counts.ms + ms
end

-- write_fields(key, fields, from, last): add these counts; returns whether none was there.
local function write_fields(key, fields, from, last)
  -- Two commands for all fields cost less than one for each.
  local before, after = redis.call('HMGET', key, unpack(fields, from, last)), {}  -- at most 500
  local is_new, size = true, 0
  for at = from, last do
    local field, count = fields[at], before[at - from + 1]
    is_new = is_new and not count
    after[size + 1], after[size + 2] = field, (count or 0) + tallied[field]
    size = size + 2
  end
  redis.call('HSET', key, unpack(after))  -- at most 500 pairs
  return is_new
end

-- write_tally(now): the last line of every script that tallies.
local function write_tally(now)
  for name, counts in pairs(times) do
    for i, n in pairs(counts) do
      tallied[name .. ':' .. i] = n
    end
  end
  if not next(tallied) then
    return
  end
  local fields, count = {}, 0
  for field in pairs(tallied) do
    count = count + 1
    fields[count] = field
  end
  local minute = key_minute(string.format('%.0f', math.floor(now / 60000)))
  local is_new = false
  for from = 1, count, FIELDS_AT_ONCE do
    local last = math.min(count, from + FIELDS_AT_ONCE - 1)
    write_fields(key_stats(), fields, from, last)
    is_new = write_fields(minute, fields, from, last) or is_new
  end
  -- The first to write in a minute finds none of its fields there.
  if is_new then
    redis.call('PEXPIRE', minute, 90000000)
  end
end
