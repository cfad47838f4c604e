-- Entries of indexes and counts of queues are collected while a script runs and written once at its
-- end, with one command for each key: the invocations of a script mostly share the same keys.
-- include: counting
local members, departed, changes = {}, {}, {}

-- entries_of(key): the entries to add to a sorted set; append a score and a member.
local function entries_of(key)
  local entries = members[key]
  if not entries then
    entries = {}
    members[key] = entries
  end
  return entries
end

-- add_member(key, score, member): add a member to a sorted set.
local function add_member(key, score, member)
  local entries = entries_of(key)
  local at = #entries
  entries[at + 1], entries[at + 2] = score, member
end

-- departures_of(key): the members to remove from a sorted set, before any are added; append a
-- member.
local function departures_of(key)
  local leaving = departed[key]
  if not leaving then
    leaving = {}
    departed[key] = leaving
  end
  return leaving
end

-- remove_member(key, member): remove a member from a sorted set.
local function remove_member(key, member)
  local leaving = departures_of(key)
  leaving[#leaving + 1] = member
end

-- changes_of(key): the changes to the counts of a hash; add to a field.
local function changes_of(key)
  local fields = changes[key]
  if not fields then
    fields = {}
    changes[key] = fields
  end
  return fields
end

-- Lua can pass about 8,000 values to one call; few scripts collect that many.
local MOST_AT_ONCE = 1000

-- write_gathered(): write what was collected. Every script that collects calls it near its end.
local function write_gathered()
  for key, entries in pairs(departed) do
    for from = 1, #entries, MOST_AT_ONCE do
      redis.call('ZREM', key, unpack(entries, from, math.min(#entries, from + 999)))  -- at most 1,000
    end
  end
  for key, entries in pairs(members) do
    for from = 1, #entries, MOST_AT_ONCE do
      redis.call('ZADD', key, unpack(entries, from, math.min(#entries, from + 999)))  -- at most 1,000
    end
  end
  for key, fields in pairs(changes) do
    for field, by in pairs(fields) do
      add_to_count(key, field, by)
    end
  end
end
