-- What a check says. A finding is {kind, id, what is, what should be, 1 if it was mended else 0};
-- the script that compares is the one that mends, so that nothing can move in between.
-- include: broken_list
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

-- examine(id, check): one thing; where it cannot be compared, that is a finding like others, and what
-- it was about to mend is not mended.
local function examine(id, check)
  local before = #findings
  local is_sound, problem = pcall(check, id)
  if not is_sound then
    if #findings > before then
      findings[#findings][5] = 0
    end
    found_only('unreadable', id, reason_of(problem), 'something that can be read')
  end
end
