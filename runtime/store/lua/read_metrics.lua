-- read_metrics: read all that a scrape of /metrics shows, for up to a hundred functions.
--
-- ARGV     functions...
--          at most 100; read_function_metrics reads the others
-- RETURNS  {bounds, functions, totals, queues, workers, deliveries, quarantined, overdue}
--          bounds: the histogram bounds in ms; functions: for each one named, in order, its counts
--          {succeeded, failed, cancelled, expired, retried, lost} and its histograms {run: buckets
--          and their sum in ms} and {queue: the same}; totals: {field, count, …} of the whole
--          system; queues: see queue_state; workers: how many are alive; deliveries: {pending, age
--          in ms of the oldest pending or -1}; quarantined: how many invocations are set aside;
--          overdue: how many are past their retention and still there
-- MOST     100 functions, 1,000 workers, what queue_states looks at
-- WHY ONE SCRIPT  figures of one moment, in one round trip. Its cost does not grow with history.
-- include: clock
-- include: counters
-- include: function_counts
-- include: queue_state
local now = now_ms()
local TOTALS = {
  'take_overs', 'late_results', 'deliveries_delivered', 'deliveries_failed', 'deliveries_stopped',
  'redis_errors_unavailable', 'redis_errors_refused', 'redis_errors_other', 'redis_errors_crash',
}

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
  BOUNDS, counts_of_functions(rest, #ARGV), totals, queue_states(now), workers,
  { redis.call('ZCARD', pending), oldest and math.max(0, now - oldest) or -1 },
  redis.call('ZCARD', key_broken()), redis.call('ZCOUNT', key_retention(), '-inf', now),
}
