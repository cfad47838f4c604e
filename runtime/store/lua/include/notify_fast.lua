-- notify_fast(id, was, place, status, finished_at, fields): as `notify`, for a record whose fields
-- are all known, so it is not read. The parser accepts simple strings and bulk strings alike. What
-- the notices of one function share is written once in each script. Few records have a field in
-- NOTIFIED.
local NOTIFIED = { 'batch', 'tags', 'priority', 'key', 'callback', 'scheduled_for' }

local function bulk(value)
  return '$' .. #value .. '\r\n' .. value .. '\r\n'
end

local function notify_fast(id, was, place, status, finished_at, fields)
  local queue, version, worker = was.queue, was.version, was.worker
  if place.of_queue ~= queue or place.of_version ~= version or place.of_worker ~= worker then
    place.of_queue, place.of_version, place.of_worker = queue, version, worker
    place.alike = '+function\r\n' .. bulk(was.function_name) .. '+queue\r\n' .. bulk(queue)
      .. '+version\r\n' .. bulk(version) .. '+worker\r\n' .. bulk(worker)
      .. '+status\r\n+' .. status .. '\r\n+finished_at\r\n+'
      .. finished_at .. '\r\n+attempt\r\n+1\r\n+created_at\r\n+'
  end
  local more, count = '', 18
  local body, head, tail = '', '', ''  -- the result or the error, which may be long
  for i = 1, #fields, 2 do
    local name, value = fields[i], fields[i + 1]
    if name == 'result' or name == 'error' then
      body, head, tail = value, '+' .. name .. '\r\n$' .. #value .. '\r\n', '\r\n'
      count = count + 2
    elseif name ~= 'logs' then
      more = more .. '+' .. name .. '\r\n' .. bulk(value)
      count = count + 2
    end
  end
  local wanted = was.notified_fields
  if wanted[1] then
    more = more .. '+batch\r\n' .. bulk(wanted[1])
    count = count + 2
  end
  if was.caller then
    more = more .. '+caller\r\n' .. bulk(was.caller)
    count = count + 2
  end
  for i = 2, 6 do
    if wanted[i] then
      more = more .. '+' .. NOTIFIED[i] .. '\r\n' .. bulk(wanted[i])
      count = count + 2
    end
  end
  -- One expression: Redis hashes every byte of every string that Lua creates.
  local payload = id .. '\n*' .. count .. '\r\n' .. place.alike .. was.created_at
    .. '\r\n+started_at\r\n+' .. was.started_at .. '\r\n' .. more .. head .. body .. tail
  for gateway in string.gmatch(was.waiters, '%S+') do
    redis.call('PUBLISH', key_inbox(gateway), payload)
  end
end
