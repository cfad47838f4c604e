-- commit_batch: a staged batch is born, all of it.
--
-- ARGV     batch, size, delay_ms, run_at_ms, max_age_ms, max_waiting, idempotency, body_digest, idempotency_ttl_ms, api_key
--          an empty word or 0 means "none" everywhere
-- RETURNS  {NEW | REPLAYED | CONFLICT | FULL | INCOMPLETE | REVOKED, batch, created_at, what waits or is
--          staged, -1, 0}
-- MOST     4 steps a member, of at most 10,000
-- WHY ONE SCRIPT  a caller that holds a batch must find all of it, and no part may run of a batch
--                 that was refused.
-- include: clock
-- include: lanes
-- include: api_keys
local now = now_ms()
local key, items = key_batch(batch), key_batch_items(batch)
local f = redis.call('HMGET', key, 'size', 'created_at', 'function', 'queue')
if f[1] then
  return { 'NEW', batch, f[2], -1, 0 }
end
if api_key ~= '' and not is_valid(api_key, now) then
  return { 'REVOKED', batch, 0, -1, 0 }
end
if idempotency ~= '' then
  local first = redis.call('HMGET', key_idempotency(idempotency), 'id', 'body')
  if first[1] then
    return { first[2] == body_digest and 'REPLAYED' or 'CONFLICT', first[1], 0, -1, 0 }
  end
end
-- Members are staged with a time to live, and may be evicted by a Redis that is short of memory:
-- what is born is whole. So many at a time as Lua can pass to one command.
local STEP = 1000
local staged = redis.call('LLEN', items)
if f[3] and f[4] and staged == tonumber(size) then
  staged = 0
  for from = 0, tonumber(size) - 1, STEP do
    local records = redis.call('LRANGE', items, from, from + STEP - 1)
    for at, id in ipairs(records) do
      records[at] = key_record(id)
    end
    staged = staged + redis.call('EXISTS', unpack(records))  -- at most 1,000
  end
end
if staged ~= tonumber(size) or not (f[3] and f[4]) then
  return { 'INCOMPLETE', batch, staged, -1, 0 }
end
if max_waiting ~= '0' then
  local waiting = tonumber(redis.call('HGET', key_waiting(), f[3]) or '0')
  if waiting + tonumber(size) > tonumber(max_waiting) then
    return { 'FULL', batch, waiting, -1, 0 }
  end
end

local due = 0
if run_at_ms ~= '0' then
  due = tonumber(run_at_ms)
elseif delay_ms ~= '0' then
  due = now + tonumber(delay_ms)
end
local is_later = due > now
local expires_at = max_age_ms ~= '0' and math.max(now, due) + tonumber(max_age_ms)
redis.call('HSET', key, 'size', size, 'created_at', now, is_later and 'scheduled' or 'queued', size)
redis.call('PERSIST', key)
redis.call('PERSIST', items)
if idempotency ~= '' then
  redis.call('HSET', key_idempotency(idempotency), 'id', batch, 'body', body_digest)
  redis.call('PEXPIRE', key_idempotency(idempotency), idempotency_ttl_ms)
end
-- All members were staged alike.
local alike = redis.call('HMGET', key_record(redis.call('LINDEX', items, 0)), 'priority', 'tags',
  'key')
local score = urgency(tonumber(alike[1] or '5'), now)
local index = is_later and 'scheduled' or 'live'
local indexes = { key_index(index), key_index(index .. ':' .. f[3]) }
for _, tag in ipairs(alike[2] and cjson.decode(alike[2]) or {}) do
  indexes[#indexes + 1] = key_index('tag:' .. tag)
end
for from = 0, tonumber(size) - 1, STEP do
  local in_index, in_place = {}, {}
  for at, id in ipairs(redis.call('LRANGE', items, from, from + STEP - 1)) do
    local record = key_record(id)
    redis.call('PERSIST', record)
    in_index[2 * at - 1], in_index[2 * at] = 0, id
    in_place[2 * at - 1], in_place[2 * at] = is_later and due or score, id
    if expires_at and is_later then
      redis.call('HSET', record, 'expires_at', expires_at, 'status', 'scheduled', 'scheduled_for', due)
    elseif expires_at then
      redis.call('HSET', record, 'expires_at', expires_at)
    elseif is_later then
      redis.call('HSET', record, 'status', 'scheduled', 'scheduled_for', due)
    end
  end
  for _, index in ipairs(indexes) do
    redis.call('ZADD', index, unpack(in_index))  -- at most 1,000 pairs
  end
  if expires_at then
    for at = 1, #in_index, 2 do
      in_index[at] = expires_at
    end
    redis.call('ZADD', key_expiring(), unpack(in_index))  -- at most 1,000 pairs
  end
  if is_later then
    put_all_later(f[4], in_place)
  else
    put_all_in_lane(f[4], f[3], alike[3] or '', in_place)
  end
end
return { 'NEW', batch, now, -1, 0 }
