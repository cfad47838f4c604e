-- tell_ordinary(id, f, place, status, fields, told): as `notify`, of a record that has nothing but what
-- every record has; its reader takes simple strings and bulk strings alike. What the notices of a
-- function share is written once a script. `f` is as settle_invocations reads it; `told` are pairs
-- that few records have, false where this one has not.
-- include: ending
local function bulk(value)
  return '$' .. #value .. '\r\n' .. value .. '\r\n'
end

local function tell_ordinary(id, f, place, status, fields, told)
  local queue, version, worker = f[4], f[9], f[10]
  if place.of_queue ~= queue or place.of_version ~= version or place.of_worker ~= worker then
    place.of_queue, place.of_version, place.of_worker = queue, version, worker
    place.alike = '+function\r\n' .. bulk(f[3]) .. '+queue\r\n' .. bulk(queue)
      .. '+version\r\n' .. bulk(version) .. '+worker\r\n' .. bulk(worker)
      .. '+status\r\n+' .. status .. '\r\n+finished_at\r\n+'
      .. finished_at .. '\r\n+attempt\r\n+1\r\n+created_at\r\n+'
  end
  local more, count = '', 18
  for _, pairs_of in ipairs({ fields, told }) do
    for i = 1, #pairs_of, 2 do
      local name, value = pairs_of[i], pairs_of[i + 1]
      if value and name ~= 'logs' then
        more = more .. '+' .. name .. '\r\n' .. bulk(value)
        count = count + 2
      end
    end
  end
  local payload = id .. '\n*' .. count .. '\r\n' .. place.alike .. f[5] .. '\r\n+started_at\r\n+'
    .. f[7] .. '\r\n' .. more
  for gateway in string.gmatch(f[8], '%S+') do
    redis.call('PUBLISH', key_inbox(gateway), payload)
  end
end
