-- Where a record should stand: what a check compares with, out of the record alone.
local WAITS = { queued = true, scheduled = true, retrying = true }
local HAS_ENDED = { succeeded = true, failed = true, cancelled = true, expired = true }
-- What has ended needs the first, what waits the first five, what runs all of them.
local NEEDED = { 'function', 'queue', 'created_at', 'version', 'arguments',
  'worker', 'token', 'attempt', 'started_at' }
local READ = { 'status', 'function', 'queue', 'created_at', 'version', 'arguments', 'worker', 'token',
  'attempt', 'started_at', 'finished_at', 'key', 'priority', 'expires_at', 'scheduled_for',
  'retry_at', 'batch', 'tags', 'callback', 'delivery' }

-- standing_of(id): a record's fields by name, or nil where there is none (a key of another type is
-- none), or where it is a member of a batch that has not joined the queue yet.
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

-- lacking(f): the names of fields without which nobody can go on with it, or ''.
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

-- index_of(status): the index in which a record with a status stands, and, with its function's
-- name behind it, the one of its function.
local function index_of(status)
  if status == 'queued' or status == 'running' then
    return 'live'
  end
  return WAITS[status] and status or 'end:' .. status
end

-- index_of_function(status, name): that of its function.
local function index_of_function(status, name)
  if HAS_ENDED[status] then
    return 'end:' .. name .. ':' .. status
  end
  return index_of(status) .. ':' .. name
end

-- tags_of(f): its tags; none where they cannot be read.
local function tags_of(f)
  local is_read, tags = pcall(cjson.decode, f.tags or '[]')
  return is_read and type(tags) == 'table' and tags or {}
end
