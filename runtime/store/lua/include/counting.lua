-- Counts of queues and functions, which serve many calls: one that is no number may not stop them.

-- add_to_count(key, field, by): returns what it is now. Where something else stands than a whole
-- number, the count begins anew; a check finds what it should be.
local function add_to_count(key, field, by)
  local is = redis.pcall('HINCRBY', key, field, by)
  if type(is) == 'number' then
    return is
  end
  if not string.find(is.err, 'not an integer', 1, true) then
    return redis.call('HINCRBY', key, field, by) -- a full Redis, say: the caller gets its error
  end
  is = math.max(0, by)
  redis.call('HSET', key, field, is)
  return is
end
