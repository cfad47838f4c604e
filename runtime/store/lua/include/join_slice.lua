-- Members of a committed batch join the queue in slices. The batch's field `join` holds how many
-- have joined, when they are due (0: at once) and when they expire (0: never). Members that have
-- not joined are `queued` in their records, which still have a time to live.
-- include: lanes
-- include: batch_counts
--
-- join_slice(batch, most, now): let the next `most` members (at most 1,000) join. Returns how many
-- have yet to join.
local function join_slice(batch, most, now)
  local key = key_batch(batch)
  local f = redis.call('HMGET', key, 'size', 'function', 'queue', 'join')
  local joined, due, expires_at = string.match(f[4] or '', '^(%d+) (%d+) (%d+)$')
  if not joined then
    redis.call('ZREM', key_joining(), batch)
    return 0
  end
  if not (tonumber(f[1] or '') and f[2] and f[3]) then
    error('it lacks size, function or queue', 0)
  end
  local is_later = due ~= '0'
  local name, queue, lost = f[2], f[3], 0
  local in_index, in_place, in_expiring, in_tags, alike = {}, {}, {}, {}, nil
  for _, id in ipairs(redis.call('LRANGE', key_batch_items(batch), joined, joined + most - 1)) do
    local record = key_record(id)
    local status = redis.call('HGET', record, 'status')
    if status then
      -- All members were staged with the same options.
      alike = alike or redis.call('HMGET', record, 'priority', 'tags', 'key')
      local at = #in_tags
      in_tags[at + 1], in_tags[at + 2] = 0, id
    else
      lost = lost + 1  -- a Redis short of memory may evict keys with a time to live
    end
    if status == 'queued' then  -- else it was cancelled before it joined
      redis.call('PERSIST', record)
      local at = #in_index
      in_index[at + 1], in_index[at + 2] = 0, id
      in_place[at + 1], in_place[at + 2] = due, id
      if expires_at ~= '0' then
        redis.call('HSET', record, 'expires_at', expires_at)
        in_expiring[at + 1], in_expiring[at + 2] = expires_at, id
      end
      if is_later then
        redis.call('HSET', record, 'status', 'scheduled', 'scheduled_for', due)
      end
    end
  end
  for _, tag in ipairs(alike and alike[2] and cjson.decode(alike[2]) or {}) do
    redis.call('ZADD', key_index('tag:' .. tag), unpack(in_tags))  -- at most 1,000 pairs
  end
  local count = #in_index / 2
  if count > 0 then
    local index = is_later and 'scheduled' or 'live'
    redis.call('ZADD', key_index(index), unpack(in_index))  -- at most 1,000 pairs
    redis.call('ZADD', key_index(index .. ':' .. name), unpack(in_index))  -- at most 1,000 pairs
    if expires_at ~= '0' then
      redis.call('ZADD', key_expiring(), unpack(in_expiring))  -- at most 1,000 pairs
    end
    if is_later then
      put_all_later(queue, in_place)
      count_in_batch(batch, now, 'queued', 'scheduled', count)
    else
      local born_at = tonumber(redis.call('HGET', key, 'created_at'))
      local score = urgency(tonumber(alike[1] or '5'), born_at)
      for at = 1, #in_place, 2 do
        in_place[at] = score
      end
      put_all_in_lane(queue, name, alike[3] or '', in_place)
    end
  end
  if lost > 0 then
    count_in_batch(batch, now, 'queued', 'failed', lost)
  end
  local left = math.max(0, f[1] - joined - most)
  if left == 0 then
    redis.call('HDEL', key, 'join')
    redis.call('ZREM', key_joining(), batch)
  else
    redis.call('HSET', key, 'join', string.format('%.0f %s %s', joined + most, due, expires_at))
  end
  return left
end
