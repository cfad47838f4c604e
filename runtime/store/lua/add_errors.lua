-- add_errors: what went wrong with Redis in one process joins the counts of all.
--
-- ARGV     counts...
--          pairs: kind (unavailable, refused, other), how many
-- RETURNS  OK
-- WHY ONE SCRIPT  it is several counters and one round trip.
for at = rest, #ARGV, 2 do
  redis.call('HINCRBY', key_stats(), 'redis_errors_' .. ARGV[at], ARGV[at + 1])
end
return 'OK'
