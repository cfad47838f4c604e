-- Counters of queues and functions. Many calls share them, so a damaged counter must not stop them.

-- add_to_count(key, field, by): add to a counter and return its new value. If the field does not
-- hold a whole number, the counter starts again at `by` (at least 0); a consistency check corrects
-- it.
local function add_to_count(key, field, by)
  local is = redis.pcall('HINCRBY', key, field, by)
  if type(is) == 'number' then
    return is
  end
  if not string.find(is.err, 'not an integer', 1, true) then
    return redis.call('HINCRBY', key, field, by) -- e.g. a full Redis: the caller gets its error
  end
  is = math.max(0, by)
  redis.call('HSET', key, field, is)
  return is
end
