-- read_workers: read every worker that has sent a heartbeat lately.
--
-- ARGV
-- RETURNS  for each worker {id, details as JSON, started_at, last_seen_at}
-- MOST     2 steps a worker
-- WHY ONE SCRIPT  a worker may leave between the list and its details.
local reply = {}
for _, worker in ipairs(redis.call('ZRANGE', key_workers(), 0, -1)) do
  local f = redis.call('HMGET', key_worker(worker), 'details', 'started_at', 'last_seen_at')
  if f[1] then
    reply[#reply + 1] = { worker, f[1], f[2], f[3] }
  end
end
return reply
