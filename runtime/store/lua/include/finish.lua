-- notify(id, gateways): send the record, as HGETALL gives it but without what the waiter has or
-- does not need, to each gateway that waits.
local function notify(id, gateways)
  local all = redis.call('HGETALL', key_record(id))
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

-- finish(id, was, status, ttl_ms, now, fields): the one way an invocation ends. `was` is a table
-- {function_name, queue, callback, waiters}; `fields` are further pairs of the record.
local function finish(id, was, status, ttl_ms, now, fields)
  local record = key_record(id)
  redis.call('HSET', record, 'status', status, 'finished_at', now, unpack(fields))
  redis.call('ZREM', key_leases(), id)
  redis.call('HINCRBY', key_stats(), was.function_name .. ':' .. status, 1)
  if was.callback then
    local delivery_id = 'dlv_' .. id
    redis.call('HSET', record, 'delivery', delivery_id)
    create_delivery(delivery_id, id, was.function_name, status, was.callback, now)
    ttl_ms = math.max(tonumber(ttl_ms), 604800000)
  end
  redis.call('PEXPIRE', record, ttl_ms)
  if was.waiters then
    notify(id, was.waiters)
  end
end
