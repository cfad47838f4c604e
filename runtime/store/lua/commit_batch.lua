-- commit_batch: a staged batch is born, all of it.
--
-- ARGV     batch, size, max_waiting
-- RETURNS  {NEW | REPLAYED | FULL | INCOMPLETE, created_at or what waits}
-- WHY ONE SCRIPT  a caller that holds a batch must find all of it, and no part may run of a batch
--                 that was refused.
-- include: clock
-- include: lanes
local now = now_ms()
local key, items = key_batch(batch), key_batch_items(batch)
local f = redis.call('HMGET', key, 'size', 'created_at', 'function', 'queue')
if f[1] then
  return { 'REPLAYED', f[2] }
end
if redis.call('LLEN', items) ~= tonumber(size) then
  return { 'INCOMPLETE', redis.call('LLEN', items) }
end
if max_waiting ~= '0' then
  local waiting = tonumber(redis.call('HGET', key_waiting(), f[3]) or '0')
  if waiting + tonumber(size) > tonumber(max_waiting) then
    return { 'FULL', waiting }
  end
end
redis.call('HSET', key, 'size', size, 'queued', size)
redis.call('PERSIST', key)
redis.call('PERSIST', items)
for _, id in ipairs(redis.call('LRANGE', items, 0, -1)) do
  local record = key_record(id)
  local r = redis.call('HMGET', record, 'priority', 'tags')
  redis.call('PERSIST', record)
  redis.call('ZADD', key_index('all'), 0, id)
  redis.call('ZADD', key_index('fn:' .. f[3]), 0, id)
  if r[2] then
    for _, tag in ipairs(cjson.decode(r[2])) do
      redis.call('ZADD', key_index('tag:' .. tag), 0, id)
    end
  end
  put_in_lane(f[4], f[3], '', id, urgency(tonumber(r[1] or '5'), now))
end
return { 'NEW', f[2] }
