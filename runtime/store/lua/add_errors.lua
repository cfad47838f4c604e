-- add_errors: what went wrong with Redis in one process joins the counts of all.
--
-- ARGV     counts...
--          pairs: kind (unavailable, refused, other), how many
-- RETURNS  OK
-- MOST     2 steps a kind of error; there are three
-- WHY ONE SCRIPT  it is several counters and one round trip.
-- include: counting
for at = rest, #ARGV, 2 do
  add_to_count(key_stats(), 'redis_errors_' .. ARGV[at], tonumber(ARGV[at + 1]))
end
return 'OK'
