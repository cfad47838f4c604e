-- room_for(function_name, max_waiting): how many more invocations of a function may wait, and how
-- many wait now. max_waiting 0 means no limit.
local function room_for(function_name, max_waiting)
  if max_waiting == '0' then
    return math.huge, 0
  end
  local waiting = tonumber(redis.call('HGET', key_waiting(), function_name)) or 0
  return tonumber(max_waiting) - waiting, waiting
end
