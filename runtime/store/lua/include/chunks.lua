-- in_pieces(command, key, list): a command on a key with a list of any length. Lua can pass some
-- 8,000 values to one call, and pairs stay together in pieces of an even number.
local PIECE = 1000

local function in_pieces(command, key, list)
  for from = 1, #list, PIECE do
    redis.call(command, key, unpack(list, from, math.min(#list, from + PIECE - 1)))  -- at most 1,000
  end
end
