-- heartbeat: a worker says that it lives, and looks after those that do not.
--
-- ARGV     worker, lease_ms, poison_limit, failure_ttl_ms, worker_ttl_ms, grace_ms, may_publish, details, held...
--          may_publish is 0: never, 1: while no other does, 2: its folder is what shall be published
--          held is pairs: id, token of every attempt the worker has in hand
-- RETURNS  {1 if this worker publishes functions else 0, {id, status of each attempt taken over…},
--          {queues…}, {ids of held attempts whose lease is no longer this worker's…}, {id, token of
--          held attempts that their callers have cancelled…}, {ids that have expired…}}
-- WHY ONE SCRIPT  a lease is extended only for its holder, and taken over only if nobody did.
-- include: clock
-- include: lanes
-- include: create_delivery
-- include: gather
-- include: tally
-- include: finish
-- include: leave
local now = now_ms()
redis.call('HSET', key_worker(worker), 'details', details, 'last_seen_at', now)
redis.call('HSETNX', key_worker(worker), 'started_at', now)
redis.call('PEXPIRE', key_worker(worker), worker_ttl_ms)
redis.call('ZADD', key_workers(), now, worker)
redis.call('ZREMRANGEBYSCORE', key_workers(), '-inf', now - worker_ttl_ms)

local publishes = 0
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

local leases = key_leases()
local lost, cancelling = {}, {}
for at = rest, #ARGV, 2 do
  local f = redis.call('HMGET', key_record(ARGV[at]), 'status', 'token', 'cancelling')
  if f[1] == 'running' and f[2] == ARGV[at + 1] then
    redis.call('ZADD', leases, now + lease_ms, ARGV[at])
    if f[3] then
      cancelling[#cancelling + 1] = ARGV[at]
      cancelling[#cancelling + 1] = ARGV[at + 1]
    end
  else
    lost[#lost + 1] = ARGV[at]
  end
end

-- When nobody's heart beat for a while, Redis or all workers were away: those that come back first
-- must not take the work of those that need another moment.
local silence = now - tonumber(redis.call('GET', key_pulse()) or now)
redis.call('SET', key_pulse(), now)
if silence > 2 * tonumber(grace_ms) then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now + grace_ms)) do
    redis.call('ZADD', leases, now + grace_ms, id)
  end
end

local taken = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 200)) do
  local was = read_facts(id)
  if was.status == 'running' then
    lose(id, was, now, poison_limit, failure_ttl_ms)
    taken[#taken + 1] = id
    taken[#taken + 1] = redis.call('HGET', key_record(id), 'status')
  else
    redis.call('ZREM', leases, id)
  end
end
if #taken > 0 then
  tally('take_overs', #taken / 2)
end
local expired = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', key_expiring(), '-inf', now, 'LIMIT', 0, 200)) do
  local was = read_facts(id)
  redis.call('ZREM', key_expiring(), id)
  if was.status == 'queued' or was.status == 'scheduled' or was.status == 'retrying' then
    take_from_lane(was.queue, was.function_name, was.key, id)
    redis.call('ZREM', key_due(was.queue), id)
    finish(id, was, 'expired', failure_ttl_ms, now, {})
    expired[#expired + 1] = id
  end
end
write_gathered()
write_tally(now)
return { publishes, taken, redis.call('SMEMBERS', key_queues()), lost, cancelling, expired }
