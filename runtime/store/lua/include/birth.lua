-- give_birth(id, now, b): an invocation is born: record, indexes, place in its queue, wake-up.
-- `b` has function_name, queue, key ('' for none), priority, max_age_ms (0 for none), due (a moment
-- not after now means at once), tags separated by line feeds, and in fields from index first on
-- further pairs of the record.
local function give_birth(id, now, b)
  local record = key_record(id)
  local is_later = b.due > now
  redis.call('HSET', record, 'function', b.function_name, 'queue', b.queue, 'created_at', now,
    'status', is_later and 'scheduled' or 'queued', unpack(b.fields, b.first))  -- at most 40
  if b.key ~= '' then
    redis.call('HSET', record, 'key', b.key)
  end
  if b.priority ~= 5 then
    redis.call('HSET', record, 'priority', b.priority)
  end
  if b.max_age_ms > 0 then
    local expires_at = math.max(now, b.due) + b.max_age_ms
    redis.call('HSET', record, 'expires_at', expires_at)
    redis.call('ZADD', key_expiring(), expires_at, id)
  end
  local index = is_later and 'scheduled' or 'live'
  redis.call('ZADD', key_index(index), 0, id)
  redis.call('ZADD', key_index(index .. ':' .. b.function_name), 0, id)
  for tag in string.gmatch(b.tags, '[^\n]+') do
    redis.call('ZADD', key_index('tag:' .. tag), 0, id)
  end
  if is_later then
    redis.call('HSET', record, 'scheduled_for', b.due)
    put_later(b.queue, id, b.due)
  else
    put_in_lane(b.queue, b.function_name, b.key, id, urgency(b.priority, now))
  end
end
