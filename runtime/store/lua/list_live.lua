-- list_live: one page of what is queued, running, scheduled or retrying, latest moment first.
--
-- ARGV     status, function_name, tag, after_at, after_id, most, since, before
--          the moment is when it began to wait, when it is due, or for a running one its birth;
--          after_at and after_id are the last of the page before, '' for the first; ids are
--          not less than since and less than before, '' is any
-- RETURNS  {next moment or '', next id, {id, record as `brief` gives it}…}
-- WHY ONE SCRIPT  these move while one looks.
-- include: brief
-- No index is kept for them: lanes, due sets and leases are one. At most 1,000 lanes are looked into.
local BAND = 4398046511104
local FAR = 2 ^ 53
local page = tonumber(most)
local before_at = after_at == '' and math.huge or tonumber(after_at)
local found = {}

local function offer(id, at)
  if at < before_at or (at == before_at and id < after_id) then
    found[#found + 1] = { at, id }
  end
end

-- Any number may share a moment, a batch does: the place among them is found by halving.
local function skipped(key, moment)
  local text = string.format('%.0f', moment)
  local above = redis.call('ZCOUNT', key, '(' .. text, '+inf')
  local first, last = above, above + redis.call('ZCOUNT', key, text, text)
  while first < last do
    local middle = math.floor((first + last) / 2)
    if redis.call('ZREVRANGE', key, middle, middle)[1] < after_id then
      last = middle
    else
      first = middle + 1
    end
  end
  return first
end

local function offer_range(key, floor, ceiling)
  local low, top = string.format('%.0f', floor), string.format('%.0f', ceiling)
  local stop = redis.call('ZCOUNT', key, low, '+inf')
  if stop == 0 then
    return
  end
  local start = redis.call('ZCOUNT', key, '(' .. top, '+inf')
  if floor + before_at <= ceiling then
    start = skipped(key, floor + before_at)
  end
  stop = math.min(stop, start + page + 1000)
  if start >= stop then
    return
  end
  local part = redis.call('ZREVRANGE', key, start, stop - 1, 'WITHSCORES')
  for i = 1, #part, 2 do
    offer(part[i], tonumber(part[i + 1]) - floor)
  end
end

local function offer_function(queue, name)
  for _, key in ipairs(redis.call('ZRANGE', key_keys(queue, name), 0, 999)) do
    for band = 0, 9 do
      offer_range(key_lane(queue, name, key), band * BAND, (band + 1) * BAND - 1)
    end
  end
end

if status == 'running' then
  for _, id in ipairs(redis.call('ZRANGE', key_leases(), 0, 9999)) do
    offer(id, tonumber(string.sub(id, 1, 8) .. string.sub(id, 10, 13), 16))
  end
else
  for _, queue in ipairs(redis.call('SMEMBERS', key_queues())) do
    if status == 'queued' then
      if function_name ~= '' then
        offer_function(queue, function_name)
      else
        local names = redis.call('ZRANGE', key_ring(queue), 0, 999)
        for _, name in ipairs(redis.call('ZRANGE', key_held(queue), 0, 999)) do
          names[#names + 1] = name
        end
        for _, name in ipairs(names) do
          offer_function(queue, name)
        end
      end
    else
      offer_range(key_due(queue), 0, FAR)
    end
  end
end

table.sort(found, function(a, b)
  if a[1] ~= b[1] then
    return a[1] > b[1]
  end
  return a[2] > b[2]
end)
local reply, last, count, looks = { '', '' }, nil, 0, 0
for _, entry in ipairs(found) do
  looks = looks + 1
  last = entry
  if entry[2] >= since and (before == '' or entry[2] < before) then
    local record = key_record(entry[2])
    local f = redis.call('HMGET', record, 'function', 'status', 'tags')
    if f[2] == status and (function_name == '' or f[1] == function_name)
      and (tag == '' or (f[3] and string.find(f[3], tag, 1, true))) then
      count = count + 1
      reply[#reply + 1] = { entry[2], brief(record) }
    end
  end
  if count == page or looks == 1000 then
    if looks < #found then
      reply[1], reply[2] = string.format('%.0f', last[1]), last[2]
    end
    return reply
  end
end
return reply
