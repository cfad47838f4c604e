-- read_metrics: everything that a scrape of /metrics shows, in one look.
--
-- ARGV     functions...
-- RETURNS  {bounds, functions, totals, queues, workers, deliveries}
--          bounds: those of the histograms, in ms; functions: for each asked for, in turn, its
--          counts {succeeded, failed, cancelled, expired, retried, lost} and its histograms
--          {run: the buckets and the ms} and {queue: the same}; totals: {field, count, …} of
--          what is counted for the whole system; queues: see queue_state; workers: how many live;
--          deliveries: {pending, age in ms of the oldest pending or -1}
-- WHY ONE SCRIPT  the figures of one moment, in one round trip. Nothing in it grows with history.
-- include: clock
-- include: tally
-- include: queue_state
local now = now_ms()
local COUNTS = { ':succeeded', ':failed', ':cancelled', ':expired', ':retried', ':lost' }
local TOTALS = {
  'take_overs', 'late_results', 'deliveries_delivered', 'deliveries_failed', 'deliveries_stopped',
  'redis_errors_unavailable', 'redis_errors_refused', 'redis_errors_other', 'redis_errors_crash',
}

-- counts(name, endings): the fields name .. ending of the statistics, as numbers.
local function counts(name, endings)
  local fields = {}
  for i, ending in ipairs(endings) do
    fields[i] = name .. ending
  end
  local values = redis.call('HMGET', key_stats(), unpack(fields))
  for i = 1, #fields do
    values[i] = tonumber(values[i] or '0')
  end
  return values
end

local BUCKETS = {}
for i = 1, #BOUNDS + 1 do
  BUCKETS[i] = ':' .. i
end
BUCKETS[#BUCKETS + 1] = ':ms'

local functions = {}
for at = rest, #ARGV do
  functions[#functions + 1] = {
    counts(ARGV[at], COUNTS), counts(ARGV[at] .. ':run', BUCKETS),
    counts(ARGV[at] .. ':queue', BUCKETS),
  }
end

local totals, values = {}, counts('', TOTALS)
for i, name in ipairs(TOTALS) do
  totals[2 * i - 1], totals[2 * i] = name, values[i]
end

local workers = 0
for _, worker in ipairs(redis.call('ZRANGE', key_workers(), 0, -1)) do
  workers = workers + redis.call('EXISTS', key_worker(worker))
end

local pending = key_deliveries('pending')
local oldest = redis.call('ZRANGE', pending, 0, 0, 'WITHSCORES')[2]
return {
  BOUNDS, functions, totals, queue_states(now), workers,
  { redis.call('ZCARD', pending), oldest and math.max(0, now - oldest) or -1 },
}
