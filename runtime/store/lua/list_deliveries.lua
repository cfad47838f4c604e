-- list_deliveries: a page of deliveries, newest first, with one of some statuses.
--
-- ARGV     limit, before_at, before_id, statuses...
--          the page begins after (before_at, before_id); before_at '' begins at the newest
-- RETURNS  entries; each is {id, created_at, then what read_delivery returns}
-- MOST     8 steps a delivery, of at most 100, and 100 attempts of each; 1,000 dropped: 2 steps
--          each
-- WHY ONE SCRIPT  a delivery that changes its status between two reads would be listed twice or not
--                 at all. Index entries of deliveries that have expired are dropped in passing.
-- Almost all expired deliveries are older than the existing ones, so a page may end before them.
local MOST_DROPPED = 1000
local want, dropped = tonumber(limit), 0
local found = {}

local function is_after(at, id)
  return before_at == '' or at < tonumber(before_at)
    or (at == tonumber(before_at) and id < before_id)
end

for position = rest, #ARGV do
  local index = key_deliveries(ARGV[position])
  local from = before_at == '' and '+inf' or before_at
  local skip, got = 0, 0
  while got < want and dropped < MOST_DROPPED do
    local page = redis.call('ZREVRANGEBYSCORE', index, from, '-inf', 'WITHSCORES',
      'LIMIT', skip, want)
    for i = 1, #page, 2 do
      local id, at = page[i], tonumber(page[i + 1])
      if is_after(at, id) and got < want then
        local d = redis.pcall('HMGET', key_delivery(id), 'invocation', 'outcome', 'url', 'status',
          'next_at')
        if d[4] then
          got = got + 1
          found[#found + 1] = { id, at, d[1] or '', d[2] or '', d[3] or '', d[4], d[5] or '' }
        else
          redis.call('ZREM', index, id)
          skip, dropped = skip - 1, dropped + 1
        end
      end
    end
    skip = skip + want
    if #page < 2 * want then
      break
    end
  end
end

table.sort(found, function(a, b) return a[2] > b[2] or (a[2] == b[2] and a[1] > b[1]) end)
local reply = {}
for i = 1, math.min(want, #found) do
  local entry = found[i]
  for _, attempt in ipairs(redis.call('LRANGE', key_attempts(entry[1]), 0, -1)) do
    entry[#entry + 1] = attempt
  end
  reply[i] = entry
end
return reply
