-- Births of one function in one script: each record is written and given its place; what they share,
-- the indexes and the lane, is gathered and written once by write_births().
-- include: lanes
local born_live, born_in_lane = {}, {}

-- line_up(id, score): it waits in the lane of its function that has no key.
local function line_up(id, score)
  local size = #born_live
  born_live[size + 1], born_live[size + 2] = '0', id
  size = #born_in_lane
  born_in_lane[size + 1], born_in_lane[size + 2] = score, id
end

-- give_place(id, now, b): the record of `id` is there; it waits in its lane, or for its moment. `b` has
-- function_name, queue, priority, and, where they are asked for, key, due_ms, max_age_ms and tags, which
-- are separated by line feeds.
local function give_place(id, now, b)
  local due = b.due_ms or 0
  if b.max_age_ms then
    local expires_at = math.max(now, due) + b.max_age_ms
    redis.call('HSET', key_record(id), 'expires_at', expires_at)
    redis.call('ZADD', key_expiring(), expires_at, id)
  end
  if b.tags then
    for tag in string.gmatch(b.tags, '[^\n]+') do
      redis.call('ZADD', key_index('tag:' .. tag), 0, id)
    end
  end
  if due > now then
    redis.call('HSET', key_record(id), 'status', 'scheduled', 'scheduled_for', due)
    redis.call('ZADD', key_index('scheduled'), 0, id)
    redis.call('ZADD', key_index('scheduled:' .. b.function_name), 0, id)
    put_later(b.queue, id, due)
    return
  end
  local score = urgency(b.priority, now)
  if b.key then
    local size = #born_live
    born_live[size + 1], born_live[size + 2] = '0', id
    put_in_lane(b.queue, b.function_name, b.key, id, score)
  else
    line_up(id, score)
  end
end

-- write_births(queue, function_name): among the last lines of every script that gives births.
local function write_births(queue, function_name)
  if born_live[1] then
    redis.call('ZADD', key_index('live'), unpack(born_live))  -- at most 200 pairs
    redis.call('ZADD', key_index('live:' .. function_name), unpack(born_live))  -- at most 200 pairs
  end
  if born_in_lane[1] then
    put_all_in_lane(queue, function_name, '', born_in_lane)
  end
  born_live, born_in_lane = {}, {}
end
