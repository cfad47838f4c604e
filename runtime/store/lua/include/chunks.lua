-- in_pieces(command, key, list): run a command on a key with a list of any length, 1,000 values at
-- a time. Lua can pass about 8,000 values to one call. An even piece size keeps pairs together.
local PIECE = 1000

local function in_pieces(command, key, list)
  for from = 1, #list, PIECE do
    redis.call(command, key, unpack(list, from, math.min(#list, from + PIECE - 1)))  -- at most 1,000
  end
end
