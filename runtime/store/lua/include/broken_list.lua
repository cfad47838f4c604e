-- The list of what was set aside, and why: see quarantine.
local MOST_BROKEN = 1000
local REFUSALS = { 'OOM ', 'MISCONF ', 'READONLY ', 'NOREPLICAS ' }

-- reason_of(problem): what `pcall` caught, as text; a Redis that refuses writes is no fault of a record.
local function reason_of(problem)
  local text = type(problem) == 'table' and problem.err or tostring(problem)
  for _, word in ipairs(REFUSALS) do
    if string.find(text, word, 1, true) then
      error(problem, 0)
    end
  end
  return string.sub(text, 1, 300)
end

-- forget_broken(ids): take them off the list.
local function forget_broken(ids)
  for _, id in ipairs(ids) do
    redis.call('ZREM', key_broken(), id)
    redis.call('HDEL', key_broken_reasons(), id)
  end
end

-- forget_old_broken(now): some that were set aside more than a week ago, as their records go then.
local function forget_old_broken(now)
  local before = now - 604800000
  forget_broken(redis.call('ZRANGEBYSCORE', key_broken(), '-inf', before, 'LIMIT', 0, 20))
end

-- note_broken(id, about, reason, now): list it; the newest are kept.
local function note_broken(id, about, reason, now)
  redis.call('ZADD', key_broken(), now, id)
  redis.call('HSET', key_broken_reasons(), id, cjson.encode({
    queue = about.queue or '', ['function'] = about.function_name or '', reason = reason,
  }))
  local more = redis.call('ZCARD', key_broken()) - MOST_BROKEN
  if more > 0 then
    forget_broken(redis.call('ZRANGE', key_broken(), 0, math.min(more, 100) - 1))
  end
end
