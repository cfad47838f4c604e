-- summarize_record(id): a record for a list, as HGETALL returns it, with its earlier attempts as
-- one more field. A long value is left out; the field `<name>_omitted` replaces it.
-- include: history
local LONG, LONG_HISTORY = 20000, 8000

local function summarize_record(id)
  local record = key_record(id)
  local names, long, is_short = redis.call('HKEYS', record), {}, true
  for _, name in ipairs(names) do
    if redis.call('HSTRLEN', record, name) > LONG then
      long[name], is_short = true, false
    end
  end
  local reply = is_short and redis.call('HGETALL', record) or {}
  if not is_short then
    for _, name in ipairs(names) do
      reply[#reply + 1] = long[name] and name .. '_omitted' or name
      reply[#reply + 1] = long[name] and '1' or redis.call('HGET', record, name)
    end
  end
  local earlier = earlier_attempts(id)
  if earlier ~= '' then
    local fits = #earlier <= LONG_HISTORY
    reply[#reply + 1] = fits and 'attempts' or 'attempts_omitted'
    reply[#reply + 1] = fits and earlier or '1'
  end
  return reply
end
