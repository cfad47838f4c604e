-- delete_expired: delete a slice of the invocations whose retention is over, from every index. A
-- slice is small, so that other commands do not wait long.
--
-- ARGV     most, turn_ms
-- RETURNS  {how many were deleted, or -1 if another slice began less than turn_ms ago; ms until the
--          next is due or -1}
-- MOST     3 steps an invocation, of at most `most`, and one for each of their indexes
-- WHY ONE SCRIPT  an id that is listed must have a record. Any number of workers share the work:
--                 the turn bounds how much of Redis's time all their slices take.
-- include: clock
-- include: deferred_writes
if redis.call('EXISTS', key_sweep_turn()) == 1 then
  return { -1, 0 }
end
local now = now_ms()
local ids = redis.call('ZRANGEBYSCORE', key_retention(), '-inf', now, 'LIMIT', 0, most)
if #ids > 0 then
  redis.call('SET', key_sweep_turn(), '1', 'PX', turn_ms)
end
local gone = {}
for _, id in ipairs(ids) do
  local record = key_record(id)
  -- A damaged record is deleted, too: pcall returns an error table, which has none of the fields.
  local f = redis.pcall('HMGET', record, 'function', 'status', 'tags', 'attempt', 'told_bytes')
  local name, status = f[1], f[2]
  if name and status then
    remove_member(key_index('end:' .. status), id)
    remove_member(key_index('end:' .. name .. ':' .. status), id)
    local are_tags, tags = pcall(cjson.decode, f[3] or '[]')
    for _, tag in ipairs(are_tags and type(tags) == 'table' and tags or {}) do
      remove_member(key_index('tag:' .. tostring(tag)), id)
    end
  end
  gone[#gone + 1] = record
  -- Few records have these keys. They also have a time to live, so none can remain for ever.
  if f[5] then
    gone[#gone + 1] = key_events(id)
  end
  if f[4] ~= '1' or status == 'cancelled' or status == 'expired' then
    gone[#gone + 1] = key_history(id)
    gone[#gone + 1] = key_outputs(id)
  end
end
if #gone > 0 then
  redis.call('UNLINK', unpack(gone))  -- at most 800
  redis.call('ZREMRANGEBYRANK', key_retention(), 0, #ids - 1)
end
write_gathered()
local first = redis.call('ZRANGE', key_retention(), 0, 0, 'WITHSCORES')[2]
return { #ids, first and math.max(0, math.ceil(first - now)) or -1 }
