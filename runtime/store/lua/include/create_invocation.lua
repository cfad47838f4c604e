-- Create invocations of one function in one script. The script writes each record; line_up() or
-- give_place() puts it where it waits. Entries of the shared indexes and of the lane without a
-- fairness key are collected, and write_created() writes them once.
-- include: lanes
local created_live, created_in_lane = {}, {}

-- line_up(id, score): add an invocation without a fairness key to its function's lane.
local function line_up(id, score)
  local size = #created_live
  created_live[size + 1], created_live[size + 2] = '0', id
  size = #created_in_lane
  created_in_lane[size + 1], created_in_lane[size + 2] = score, id
end

-- give_place(id, now, b): put an invocation, whose record exists, into its lane or, if it is
-- delayed, into the sorted set of due times. `b` has function_name, queue, priority and, if
-- requested, key, due_ms, max_age_ms and tags (separated by line feeds).
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
    local size = #created_live
    created_live[size + 1], created_live[size + 2] = '0', id
    put_in_lane(b.queue, b.function_name, b.key, id, score)
  else
    line_up(id, score)
  end
end

-- write_created(queue, function_name): write what was collected. Every script that creates
-- invocations calls it near its end.
local function write_created(queue, function_name)
  if created_live[1] then
    redis.call('ZADD', key_index('live'), unpack(created_live))  -- at most 200 pairs
    redis.call('ZADD', key_index('live:' .. function_name), unpack(created_live))  -- at most 200 pairs
  end
  if created_in_lane[1] then
    put_all_in_lane(queue, function_name, '', created_in_lane)
  end
  created_live, created_in_lane = {}, {}
end
