-- recover_invocations: take over attempts with expired leases; expire what has waited too long.
--
-- ARGV     lease_ms, poison_limit, unheard_limit, failure_ttl_ms, grace_ms
-- RETURNS  {{id, status of each attempt taken over…}, {ids that expired…}, 1 if it is to be called
--          again at once else 0, 1 if recount_running is needed else 0, {committed batches that
--          have yet to join the queue and whose gateway seems to be gone…}}
-- MOST     100 leases and 100 expired: 40 steps each
-- WHY ONE SCRIPT  a lease may be taken over only once, and only if its holder has not extended it.
-- A damaged record is set aside; the others go on.
-- include: clock
-- include: lanes
-- include: record_facts
-- include: finish_record
-- include: lost_attempts
-- include: damaged_records
-- include: all_workers_silent
local MOST = 100
local JOINING_MS = 5000  -- how long the batch's gateway may take
local now = now_ms()

-- was_never_held(was, lease_end): whether the worker that claimed it does not know of it: the
-- worker has sent a heartbeat since and has not extended the lease. The claim's reply was lost.
local function was_never_held(was, lease_end)
  local seen_at = redis.call('ZSCORE', key_workers(), was.worker)
  return seen_at and tonumber(seen_at) > was.started_at + 0
    and tonumber(lease_end) <= was.started_at + lease_ms
end

-- take_over(id, lease_end): returns the new status of the invocation; nil if it was not running.
local function take_over(id, lease_end)
  local was = read_facts(id)
  if was.status and was.status ~= 'running' then
    redis.call('ZREM', key_leases(), id)
    return nil
  end
  check_running(was)
  if was_never_held(was, lease_end) then
    return give_back_unheard(id, was, now, tonumber(unheard_limit), failure_ttl_ms)
  end
  return requeue_lost(id, was, now, tonumber(poison_limit), failure_ttl_ms)
end

local function expire(id)
  local was = read_facts(id)
  if was.status ~= 'queued' and was.status ~= 'scheduled' and was.status ~= 'retrying' then
    if not was.status then
      check_facts(was)
    end
    return false
  end
  check_facts(was)
  take_from_lane(was.queue, was.function_name, was.key, id)
  redis.call('ZREM', key_due(was.queue), id)
  finish(id, was, 'expired', failure_ttl_ms, now, {})
  return true
end

local taken, expired = {}, {}
local leases = {}
-- After a time without any heartbeat nothing is taken over until a worker has sent one, and then
-- not during the grace period: see heartbeat, which a worker sends on a connection of its own.
if redis.call('EXISTS', key_patience()) == 0 and not all_are_silent(now, grace_ms) then
  leases = redis.call('ZRANGEBYSCORE', key_leases(), '-inf', now, 'WITHSCORES', 'LIMIT', 0, MOST)
end
for at = 1, #leases, 2 do
  local id = leases[at]
  local is_sound, status = pcall(take_over, id, leases[at + 1])
  if not is_sound then
    set_aside(id, status, now, { is_running = true })
    status = nil
  end
  if status then
    taken[#taken + 1] = id
    taken[#taken + 1] = status
  end
end
if #taken > 0 then
  tally('take_overs', #taken / 2)
end
local old = redis.call('ZRANGEBYSCORE', key_expiring(), '-inf', now, 'LIMIT', 0, MOST)
for _, id in ipairs(old) do
  redis.call('ZREM', key_expiring(), id)
  local is_sound, is_over = pcall(expire, id)
  if not is_sound then
    set_aside(id, is_over, now, { in_lane = true })
  elseif is_over then
    expired[#expired + 1] = id
  end
end
forget_old_broken(now)
write_moves(now)
local has_more = #leases == 2 * MOST or #old == MOST
local unjoined = redis.call('ZRANGEBYSCORE', key_joining(), '-inf', now - JOINING_MS, 'LIMIT', 0, 10)
return { taken, expired, has_more and 1 or 0, redis.call('EXISTS', key_miscounted()), unjoined }
