-- Totals of functions since their first call: outcomes, run times and queue times.
-- include: counters
local COUNTS = { ':succeeded', ':failed', ':cancelled', ':expired', ':retried', ':lost' }

-- counts(name, endings): the statistics fields `name .. ending`, as numbers.
local function counts(name, endings)
  local fields = {}
  for i, ending in ipairs(endings) do
    fields[i] = name .. ending
  end
  local values = redis.call('HMGET', key_stats(), unpack(fields))  -- at most 16
  for i = 1, #fields do
    values[i] = tonumber(values[i]) or 0
  end
  return values
end

local BUCKETS = {}
for i = 1, #BOUNDS + 1 do
  BUCKETS[i] = ':' .. i
end
BUCKETS[#BUCKETS + 1] = ':ms'

-- counts_of_functions(first, last): for each function that ARGV names from first to last:
-- {outcomes, run: {buckets…, sum in ms}, queue: {buckets…, sum in ms}}.
local function counts_of_functions(first, last)
  local functions = {}
  for at = first, last do
    functions[#functions + 1] = {
      counts(ARGV[at], COUNTS), counts(ARGV[at] .. ':run', BUCKETS),
      counts(ARGV[at] .. ':queue', BUCKETS),
    }
  end
  return functions
end
