-- read_quarantine: read what was set aside because its record is gone or damaged.
--
-- ARGV     most
-- RETURNS  {how many, {id, at, JSON of its queue, function and reason}…}, the latest first
-- MOST     `most` entries, at most 100
-- WHY ONE SCRIPT  the list and its reasons must agree.
local reply = { redis.call('ZCARD', key_broken()) }
if most == '0' then
  return reply
end
local latest = redis.call('ZREVRANGE', key_broken(), 0, most - 1, 'WITHSCORES')
for at = 1, #latest, 2 do
  local about = redis.call('HGET', key_broken_reasons(), latest[at]) or '{}'
  reply[#reply + 1] = { latest[at], latest[at + 1], about }
end
return reply
