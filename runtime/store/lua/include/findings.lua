-- What a check says. A finding is {kind, id, what is, what should be, 1 if it was mended else 0};
-- the script that compares is the one that mends, so that nothing can move in between.
local findings = {}

-- found(kind, id, is, should): one finding; returns whether it is to be mended, and then it counts as
-- mended. The first word of every script that includes this says whether to mend.
local function found(kind, id, is, should)
  local mends = ARGV[1] == '1'
  findings[#findings + 1] = { kind, id, is, should, mends and 1 or 0 }
  return mends
end

-- found_only(kind, id, is, should): a finding that only people can mend.
local function found_only(kind, id, is, should)
  findings[#findings + 1] = { kind, id, is, should, 0 }
end
