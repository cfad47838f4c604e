-- include: deferred_writes
-- include when needed: lanes
local is_limited, left, counts, leases = {}, {}, {}, nil

-- leave_running(id, was): an attempt is over, whatever comes next: release its lease, its place
-- under the function's concurrency limit and its count in the queue. Later calls for the id do
-- nothing.
local function leave_running(id, was)
  if left[id] then
    return
  end
  left[id] = true
  leases = leases or departures_of(key_leases())
  leases[#leases + 1] = id
  local queue = was.queue
  if queue then
    local of_queue = counts[queue] or changes_of(key_queue(queue))
    of_queue.running = (of_queue.running or 0) - 1
    counts[queue] = of_queue
  end
  -- If it waits again, its max_age counts again. If it finishes, finish() removes this entry.
  if was.expires_at then
    redis.call('ZADD', key_expiring(), was.expires_at, id)
  end
  local name = was.function_name
  if not name then
    return
  end
  if is_limited[name] == nil then
    is_limited[name] = redis.call('EXISTS', key_running(name)) == 1
  end
  if is_limited[name] and redis.call('SREM', key_running(name), id) == 1 and queue then
    lazy().resume_function(queue, name)
  end
end
