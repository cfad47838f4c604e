-- brief(record): a record as HGETALL gives it for a list, where many stand together: without long
-- values, of which `<name>_omitted` tells.
local LONG = 20000

local function brief(record)
  local names, long = redis.call('HKEYS', record), {}
  for _, name in ipairs(names) do
    if redis.call('HSTRLEN', record, name) > LONG then
      long[name] = true
    end
  end
  if not next(long) then
    return redis.call('HGETALL', record)
  end
  local reply = {}
  for _, name in ipairs(names) do
    reply[#reply + 1] = long[name] and name .. '_omitted' or name
    reply[#reply + 1] = long[name] and '1' or redis.call('HGET', record, name)
  end
  return reply
end
