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
  local fields = {}
  for field in pairs(tallied) do
    fields[#fields + 1] = field
  end
  local minute = key_minute(string.format('%.0f', math.floor(now / 60000)))
  local is_new = true
  for _, key in ipairs({ key_stats(), minute }) do
    is_new = true
    for from = 1, #fields, FIELDS_AT_ONCE do
      -- Two commands for so many fields cost less than one for each.
      local last = math.min(#fields, from + FIELDS_AT_ONCE - 1)
      local before, after = redis.call('HMGET', key, unpack(fields, from, last)), {}  -- at most 500
      for at = from, last do
        local field, count = fields[at], before[at - from + 1]
        is_new = is_new and not count
        after[#after + 1] = field
        after[#after + 1] = (tonumber(count or '0') or 0) + tallied[field]
      end
      redis.call('HSET', key, unpack(after))  -- at most 1,000
    end
  end
  -- The first to write in a minute finds none of its fields there.
  if is_new then
    redis.call('PEXPIRE', minute, 90000000)
  end
end
