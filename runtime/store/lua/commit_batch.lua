-- commit_batch: create a batch from its staged members. A small batch joins the queue at once;
-- members of a larger one join through join_batch, a slice at a time.
--
-- ARGV     batch, size, delay_ms, run_at_ms, max_age_ms, max_waiting, idempotency, body_digest, idempotency_ttl_ms, api_key
--          '' or 0 means "none" for every argument
-- RETURNS  {NEW | REPLAYED | CONFLICT | FULL | INCOMPLETE | REVOKED | PART, batch, number, -1, 0};
--          number is created_at (NEW), how many wait (FULL) or how many members are there (others)
--          PART: so many members were checked; when called again it checks more, then decides
-- MOST     4,000 members looked up by a step each; 1,000 joined: 4 steps each
-- WHY ONE SCRIPT  a caller that holds a batch's id must find all of it, and no member of a refused
--                 batch may run.
-- include: clock
-- include: join_slice
-- include: caller_rate_limit
local now = now_ms()
local key, items = key_batch(batch), key_batch_items(batch)
local f = redis.call('HMGET', key, 'size', 'created_at', 'function', 'queue', 'seen')
if f[1] then
  return { 'NEW', batch, f[2], -1, 0 }
end
local answer = nil
if api_key ~= '' then
  answer = refuse_revoked(batch, api_key, now)
end
if not answer and idempotency ~= '' then
  answer = refuse_repeated(idempotency, body_digest)
end
if answer then
  return answer
end
if f[3] then
  local room, waiting = room_for(f[3], max_waiting)
  if room < tonumber(size) then
    return { 'FULL', batch, waiting, -1, 0 }
  end
end
-- Members are staged with a time to live, and a Redis short of memory may evict them: the batch is
-- created only if all are there. STEP is as many as Lua passes to one command. Members of a large
-- batch may wait long before they join, e.g. while all processes are down, so their time to live is
-- extended.
local STEP, MOST_SEEN, JOINS_WITHIN_MS = 1000, 4000, 604800000
local staged = redis.call('LLEN', items)
if f[3] and f[4] and staged == tonumber(size) then
  staged = tonumber(f[5] or '0')
  if tonumber(size) > STEP then
    redis.call('HSET', key, 'seen', staged)  -- the first write is one that a full Redis refuses
  end
  local seen = math.min(tonumber(size), staged + MOST_SEEN)
  for from = staged, seen - 1, STEP do
    local records = redis.call('LRANGE', items, from, math.min(seen, from + STEP) - 1)
    for at, id in ipairs(records) do
      records[at] = key_record(id)
    end
    if tonumber(size) <= STEP then
      staged = staged + redis.call('EXISTS', unpack(records))  -- at most 1,000
    else
      for _, record in ipairs(records) do
        staged = staged + redis.call('PEXPIRE', record, JOINS_WITHIN_MS)
      end
    end
  end
  if staged == seen and seen < tonumber(size) then
    redis.call('HSET', key, 'seen', seen)
    return { 'PART', batch, seen, -1, 0 }
  end
  redis.call('HDEL', key, 'seen')
end
if staged ~= tonumber(size) or not (f[3] and f[4]) then
  return { 'INCOMPLETE', batch, staged, -1, 0 }
end

local due = 0
if run_at_ms ~= '0' then
  due = tonumber(run_at_ms)
elseif delay_ms ~= '0' then
  due = now + tonumber(delay_ms)
end
local expires_at = max_age_ms ~= '0' and math.max(now, due) + tonumber(max_age_ms) or 0
redis.call('HSET', key, 'size', size, 'created_at', now, 'queued', size,
  'join', string.format('0 %.0f %.0f', due > now and due or 0, expires_at))
redis.call('ZADD', key_joining(), now, batch)
redis.call('PERSIST', key)
redis.call('PERSIST', items)
if idempotency ~= '' then
  remember_first(idempotency, body_digest, idempotency_ttl_ms, batch)
end
if tonumber(size) <= STEP then
  join_slice(batch, STEP, now)
end
return { 'NEW', batch, now, -1, 0 }
