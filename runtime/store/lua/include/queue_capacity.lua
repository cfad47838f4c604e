-- room_for(function_name, max_waiting): how many more may wait, and how many do; 0 is any number.
local function room_for(function_name, max_waiting)
  if max_waiting == '0' then
    return math.huge, 0
  end
  local waiting = tonumber(redis.call('HGET', key_waiting(), function_name)) or 0
  return tonumber(max_waiting) - waiting, waiting
end
