-- Where a record should be listed, computed from the record alone. A check compares Redis with it.
local WAITS = { queued = true, scheduled = true, retrying = true }
local HAS_ENDED = { succeeded = true, failed = true, cancelled = true, expired = true }
-- A finished record needs the first field, a waiting one the first five, a running one all of them.
local NEEDED = { 'function', 'queue', 'created_at', 'version', 'arguments',
  'worker', 'token', 'attempt', 'started_at' }
local READ = { 'status', 'function', 'queue', 'created_at', 'version', 'arguments', 'worker', 'token',
  'attempt', 'started_at', 'finished_at', 'key', 'priority', 'expires_at', 'scheduled_for',
  'retry_at', 'batch', 'tags', 'callback', 'delivery' }

-- standing_of(id): a record's fields by name. nil if the key does not exist or has another type, or
-- if the record is a member of a batch that has not joined the queue yet.
local function standing_of(id)
  local values, f, is_there = redis.pcall('HMGET', key_record(id), unpack(READ)), {}, false  -- at most 20
  for i, name in ipairs(READ) do
    if values[i] then
      f[name] = values[i]
      is_there = true
    end
  end
  if not is_there then
    return nil
  end
  if f.batch and f.status == 'queued' and redis.call('PTTL', key_record(id)) >= 0
    and (redis.call('HEXISTS', key_batch(f.batch), 'size') == 0
      or redis.call('HEXISTS', key_batch(f.batch), 'join') == 1) then
    return nil
  end
  return f
end

-- lacking(f): the names of missing fields without which the invocation cannot continue, or ''.
local function lacking(f)
  local names = {}
  for i, name in ipairs(NEEDED) do
    local is_needed = i == 1 or (i <= 5 and not HAS_ENDED[f.status]) or f.status == 'running'
    if is_needed and not f[name] then
      names[#names + 1] = name
    end
  end
  if not (WAITS[f.status] or HAS_ENDED[f.status] or f.status == 'running') then
    names[#names + 1] = 'status'
  end
  return table.concat(names, ', ')
end

-- index_of(status): the index, over all functions, that lists records with a status.
local function index_of(status)
  if status == 'queued' or status == 'running' then
    return 'live'
  end
  return WAITS[status] and status or 'end:' .. status
end

-- index_of_function(status, name): the index of one function that lists records with a status.
local function index_of_function(status, name)
  if HAS_ENDED[status] then
    return 'end:' .. name .. ':' .. status
  end
  return index_of(status) .. ':' .. name
end

-- tags_of(f): the record's tags; none if they cannot be parsed.
local function tags_of(f)
  local is_read, tags = pcall(cjson.decode, f.tags or '[]')
  return is_read and type(tags) == 'table' and tags or {}
end
