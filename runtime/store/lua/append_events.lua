-- append_events: what a running attempt tells: progress, log lines, items, events.
--
-- ARGV     id, token, most, ttl_ms, entries...
--          an entry is 2 values: kind, data
-- RETURNS  DONE | STALE
-- WHY ONE SCRIPT  an attempt that lost its lease must not speak for the one that took over.
-- include: clock
-- include: create_delivery
-- include: tally
-- include: finish
local was = read_facts(id)
if was.status ~= 'running' or was.token ~= token then
  return 'STALE'
end
local stream = key_events(id)
for at = rest, #ARGV, 2 do
  redis.call('XADD', stream, 'MAXLEN', '~', most, '*', 'a', was.attempt, 'k', ARGV[at],
    'd', ARGV[at + 1])
  if ARGV[at] == 'progress' then
    redis.call('HSET', key_record(id), 'progress', ARGV[at + 1])
  end
end
redis.call('PEXPIRE', stream, ttl_ms)
poke(id, was.watchers)
return 'DONE'
