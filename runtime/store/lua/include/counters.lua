-- Statistics are collected while a script runs and written once at its end, to two hashes: the
-- totals that /metrics shows, and the current minute, which the charts show.
--
-- Histograms of the totals use the upper bounds in BOUNDS, in ms: field "<function>:run:<i>" counts
-- times of at most bound i and more than bound i - 1; the last field counts all longer times. The
-- histograms of a minute are fine enough for quantiles: "<function>:run:<bound>ms" counts times of
-- at most `bound` and more than the bound before it. Up to 10 ms every whole ms is a bound. Above
-- that, each power of ten is divided into 35 steps, none wider than a tenth of its lower bound. All
-- values in BOUNDS are among these bounds.
local BOUNDS = { 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000 }
local FIELDS_AT_ONCE = 500
local tallied, times = {}, {}

local function tally(field, n)
  tallied[field] = (tallied[field] or 0) + n
end

-- tally_time(name, ms): count a time in the histograms "<name>:…".
local function tally_time(name, ms)
  local counts = times[name]
  if not counts then
    counts = { ms = 0 }
    times[name] = counts
  end
  ms = math.max(0, ms) -- the server's clock may have been set back
  counts.ms = counts.ms + ms
  if ms > 10 then
    local base = 10
    while ms > 10 * base do
      base = 10 * base
    end
    local step = ms <= 2.5 * base and base / 10 or ms <= 5 * base and base / 4 or base / 2
    ms = math.ceil(ms / step) * step
  end
  counts[ms] = (counts[ms] or 0) + 1
end

-- add_counts(key, fields, counts): add to the fields of a hash. Returns whether, in any group of
-- 500 fields, all were new.
local function add_counts(key, fields, counts)
  local is_new = false
  for from = 1, #fields, FIELDS_AT_ONCE do
    local last = math.min(#fields, from + FIELDS_AT_ONCE - 1)
    -- One HMGET and one HSET cost less than an HINCRBY for each field.
    local before = redis.call('HMGET', key, unpack(fields, from, last))  -- at most 500
    local after, size, are_new = {}, 0, true
    for at = from, last do
      local count = before[at - from + 1]
      are_new = are_new and not count
      after[size + 1], after[size + 2] = fields[at], (tonumber(count) or 0) + counts[at]
      size = size + 2
    end
    redis.call('HSET', key, unpack(after))  -- at most 500 pairs
    is_new = is_new or are_new
  end
  return is_new
end

-- write_tally(now): write what was collected. Every script that tallies calls it at its end.
local function write_tally(now)
  local fields, counts, size = {}, {}, 0
  local fine, fine_counts, fine_size = {}, {}, 0
  for field, n in pairs(tallied) do
    size = size + 1
    fields[size], counts[size], fine[size], fine_counts[size] = field, n, field, n
  end
  fine_size = size
  for name, of_name in pairs(times) do
    local coarse = { ms = of_name.ms }
    of_name.ms = nil
    name = name .. ':'
    for bound, n in pairs(of_name) do
      local i = 1
      while BOUNDS[i] and bound > BOUNDS[i] do
        i = i + 1
      end
      coarse[i] = (coarse[i] or 0) + n
      fine_size = fine_size + 1
      fine[fine_size], fine_counts[fine_size] = name .. bound .. 'ms', n
    end
    for i, n in pairs(coarse) do
      size = size + 1
      fields[size], counts[size] = name .. i, n
    end
  end
  if size == 0 then
    return
  end
  add_counts(key_stats(), fields, counts)
  local minute = key_minute(string.format('%.0f', math.floor(now / 60000)))
  -- The first write of a minute finds none of its fields: the hash is new and needs a time to live.
  if add_counts(minute, fine, fine_counts) then
    redis.call('PEXPIRE', minute, 90000000)
  end
end
