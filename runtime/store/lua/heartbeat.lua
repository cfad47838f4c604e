-- heartbeat: a worker reports that it is alive and extends the leases of the attempts it holds.
--
-- ARGV     worker, lease_ms, worker_ttl_ms, grace_ms, may_publish, details, held...
--          may_publish is 0: never, 1: while no other worker does, 2: it has the folder to publish
--          held is pairs: id and token of every attempt that the worker holds
-- RETURNS  {1 if this worker publishes functions else 0, {queues…}, {ids of held attempts whose
--          lease this worker has lost…}, {id, token of held attempts that their callers have
--          cancelled…}}
-- MOST     2 steps for each held attempt, and 20
-- WHY ONE SCRIPT  only its holder may extend a lease.
-- It touches nothing that other workers hold, so damage there cannot make a heartbeat fail. See
-- recover_invocations.
-- include: clock
-- include: chunks
-- include: all_workers_silent
local now = now_ms()
redis.call('HSET', key_worker(worker), 'details', details, 'last_seen_at', now)
redis.call('HSETNX', key_worker(worker), 'started_at', now)
redis.call('PEXPIRE', key_worker(worker), worker_ttl_ms)
redis.call('ZADD', key_workers(), now, worker)
redis.call('ZREMRANGEBYSCORE', key_workers(), '-inf', now - worker_ttl_ms)

local publishes = 0
-- appoint_publisher has ordered this worker to publish, which it may not have read yet.
local appointed_until = tonumber(redis.call('HGET', key_worker(worker), 'appointed_until'))
if may_publish == '1' and appointed_until and now < appointed_until then
  may_publish = '2'
end
redis.call('HSET', key_worker(worker), 'may_publish', may_publish)
if may_publish ~= '0' then
  local holder = redis.call('GET', key_publisher())
  local yields = holder and may_publish == '2'
    and redis.call('HGET', key_worker(holder), 'may_publish') ~= '2'
  if not holder or holder == worker or yields then
    redis.call('SET', key_publisher(), worker, 'PX', lease_ms)
    publishes = 1
  end
end

local until_ms = string.format('%.0f', now + lease_ms)
local lost, cancelling, extended = {}, {}, {}
for at = rest, #ARGV, 2 do
  local f = redis.pcall('HMGET', key_record(ARGV[at]), 'status', 'token', 'worker', 'cancelling')
  if f[1] == 'running' and f[2] == ARGV[at + 1] and f[3] == worker then
    extended[#extended + 1] = until_ms
    extended[#extended + 1] = ARGV[at]
    if f[4] then
      cancelling[#cancelling + 1] = ARGV[at]
      cancelling[#cancelling + 1] = ARGV[at + 1]
    end
  else
    lost[#lost + 1] = ARGV[at]
  end
end
in_pieces('ZADD', key_leases(), extended)

-- After a time without any heartbeat, the workers that return first must not take over the attempts
-- of those that return a moment later.
local was_silent = all_are_silent(now, grace_ms)
redis.call('SET', key_pulse(), now)
if was_silent then
  redis.call('SET', key_patience(), '1', 'PX', grace_ms)
end
return { publishes, redis.call('SMEMBERS', key_queues()), lost, cancelling }
