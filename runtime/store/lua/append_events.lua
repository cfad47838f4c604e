-- append_events: store what a running attempt reports: progress, log lines, items, events.
--
-- ARGV     id, token, worker, most_bytes, ttl_ms, entries...
--          an entry is 3 values: number, kind, data; numbers rise within an attempt, and an entry
--          that is sent again is stored once
-- RETURNS  DONE | STALE
-- MOST     3 steps an entry, of 256 KiB together; at most 100 pages of 100 entries are dropped
-- WHY ONE SCRIPT  an attempt that lost its lease must not write events of the one that took over.
-- An entry's id in the stream is <attempt>-<number>, so entries are in the order of attempts. The
-- oldest entries are dropped when an invocation has stored more than most_bytes.
-- include: clock
-- include: record_facts
-- include: notices
local ENTRY_BYTES = 64
local is_hash, was = pcall(read_facts, id)
if not is_hash or was.status ~= 'running' or was.token ~= token or was.worker ~= worker
  or not was.attempt then
  return 'STALE'
end
local stream, record = key_events(id), key_record(id)

-- taken(): the number of this attempt's last entry in the stream.
local function taken()
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  local attempt, number = string.match(last and last[1] or '', '^(%d+)-(%d+)$')
  return attempt == was.attempt and tonumber(number) or 0
end

-- shorten(size): drop the oldest until a quarter of most_bytes is free.
local function shorten(size)
  local from, keep = '-', most_bytes * 3 / 4
  while size > keep do
    local page = redis.call('XRANGE', stream, from, '+', 'COUNT', 100)
    for _, entry in ipairs(page) do
      if size <= keep then
        break
      end
      size = size - #entry[2][4] - ENTRY_BYTES
      from = '(' .. entry[1]
    end
    if #page < 100 then
      break
    end
  end
  local first = redis.call('XRANGE', stream, from, '+', 'COUNT', 1)[1]
  if first then
    redis.call('XTRIM', stream, 'MINID', '=', first[1])
  else
    redis.call('XTRIM', stream, 'MAXLEN', '=', 0)
  end
  redis.call('HSET', record, 'told_bytes', math.max(0, size))
end

local known, progress, size = taken(), nil, 0
for at = rest, #ARGV, 3 do
  if tonumber(ARGV[at]) > known then
    redis.call('XADD', stream, was.attempt .. '-' .. ARGV[at], 'k', ARGV[at + 1], 'd', ARGV[at + 2])
    size = size + #ARGV[at + 2] + ENTRY_BYTES
    if ARGV[at + 1] == 'progress' then
      progress = ARGV[at + 2]
    end
  end
end
if size > 0 then
  if progress then
    redis.call('HSET', record, 'progress', progress)
  end
  local total = redis.call('HINCRBY', record, 'told_bytes', size)
  if total > tonumber(most_bytes) then
    shorten(total)
  end
  redis.call('PEXPIRE', stream, ttl_ms)
  notify_watchers(id, was.watchers)
end
return 'DONE'
