-- Notices about invocations, published on the gateways' inbox channels.
-- include: history
-- notify(id, gateways): publish the record, as HGETALL returns it, to each gateway with a waiting
-- caller. `arguments`, `request` and `logs` are left out: the gateway has them or does not need
-- them.
local function notify(id, gateways)
  local all = redis.call('HGETALL', key_record(id))
  local earlier = earlier_attempts(id)
  if earlier ~= '' then
    all[#all + 1], all[#all + 2] = 'attempts', earlier
  end
  local parts, count = {}, 0
  for i = 1, #all, 2 do
    local name = all[i]
    if name ~= 'arguments' and name ~= 'request' and name ~= 'logs' then
      count = count + 2
      parts[#parts + 1] = '$' .. #name .. '\r\n' .. name .. '\r\n$' .. #all[i + 1] .. '\r\n'
      parts[#parts + 1] = all[i + 1]
      parts[#parts + 1] = '\r\n'
    end
  end
  local payload = id .. '\n*' .. count .. '\r\n' .. table.concat(parts)
  for gateway in string.gmatch(gateways, '%S+') do
    redis.call('PUBLISH', key_inbox(gateway), payload)
  end
end

-- notify_watchers(id, gateways): publish that an invocation changed, to gateways that stream its
-- events.
local function notify_watchers(id, gateways)
  if gateways then
    for gateway in string.gmatch(gateways, '%S+') do
      redis.call('PUBLISH', key_inbox(gateway), id .. '\n')
    end
  end
end
