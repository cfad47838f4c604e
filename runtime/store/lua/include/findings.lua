-- The findings of a check. A finding is {kind, id, what is, what should be, 1 if repaired else 0}.
-- The script that compares also repairs, so nothing can change in between.
-- include: broken_list
local findings = {}

-- found(kind, id, is, should): add a finding. Returns whether the caller must repair it; it then
-- counts as repaired. The first argument of every script that includes this file says whether to
-- repair.
local function found(kind, id, is, should)
  local mends = ARGV[1] == '1'
  findings[#findings + 1] = { kind, id, is, should, mends and 1 or 0 }
  return mends
end

-- found_only(kind, id, is, should): add a finding that only an operator can repair.
local function found_only(kind, id, is, should)
  findings[#findings + 1] = { kind, id, is, should, 0 }
end

-- examine(id, check): run check(id). An error becomes a finding of its own, and the finding that
-- was about to be repaired does not count as repaired.
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
