-- The quarantine list: what was set aside and why. See damaged_records.lua.
local MOST_BROKEN = 1000
local REFUSALS = { 'OOM ', 'MISCONF ', 'READONLY ', 'NOREPLICAS ' }

-- reason_of(problem): the text of an error that `pcall` caught, at most 300 bytes. If Redis refuses
-- writes, the error is raised again: the record is not at fault.
local function reason_of(problem)
  local text = type(problem) == 'table' and problem.err or tostring(problem)
  for _, word in ipairs(REFUSALS) do
    if string.find(text, word, 1, true) then
      error(problem, 0)
    end
  end
  return string.sub(text, 1, 300)
end

-- forget_broken(ids): remove ids from the list.
local function forget_broken(ids)
  for _, id in ipairs(ids) do
    redis.call('ZREM', key_broken(), id)
    redis.call('HDEL', key_broken_reasons(), id)
  end
end

-- forget_old_broken(now): remove up to 20 entries older than a week; their records expire then,
-- too.
local function forget_old_broken(now)
  local before = now - 604800000
  forget_broken(redis.call('ZRANGEBYSCORE', key_broken(), '-inf', before, 'LIMIT', 0, 20))
end

-- note_broken(id, about, reason, now): add an entry. Beyond 1,000 entries the oldest are removed.
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
