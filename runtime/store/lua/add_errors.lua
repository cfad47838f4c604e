-- add_errors: add the Redis errors that one process has counted to the totals.
--
-- ARGV     counts...
--          pairs: kind of error, how many
-- RETURNS  OK
-- MOST     2 steps for each kind of error
-- WHY ONE SCRIPT  it adds to several counters in one round trip.
-- include: counting
for at = rest, #ARGV, 2 do
  add_to_count(key_stats(), 'redis_errors_' .. ARGV[at], tonumber(ARGV[at + 1]))
end
return 'OK'
