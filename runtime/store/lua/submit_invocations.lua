-- submit_invocations: calls of one function are born: records, places in its queue, wake-up. Those
-- that reached a gateway together share the script, because most of what a birth costs (places in the
-- lane and the indexes, counts, wake-up) costs the same for a hundred.
--
-- ARGV     function_name, queue, version, priority, max_waiting, waiter, entries...
--          waiter is the gateway to tell of their ends, or an empty word; max_waiting 0 is any number
--          an entry is id, arguments, n, then n words: pairs of a name and a value. `@name` asks for
--          something (below), any other name is a further field of the record.
--            @api_key            id of the key that the caller shows: REVOKED if it is not valid any more
--            @pace               count, per_ms, name of the caller, parted by blanks: LIMITED beyond
--            @idempotency        digest, body digest, ttl_ms, parted by blanks: REPLAYED, CONFLICT
--            @delay_ms, @run_at_ms, @max_age_ms
--            @tags               labels, separated by line feeds
--            @retried, @once     the invocation it repeats; with @once, RETRIED if somebody has before
--            @repeatable         the same id may come twice, and is born once
-- RETURNS  {created_at, an answer for each entry: 0 for NEW of which nothing more is to be told, else
--          {NEW | REPLAYED | CONFLICT | RETRIED | FULL | LIMITED | REVOKED, id, created_at, what waits or
--          ms to wait, calls left for the caller or -1, ms until they are all back}}
-- WHY ONE SCRIPT  whoever holds the id must find the record, a worker that is woken must find it
--                 in its lane, a repeated request must find the first, and a refused one leave
--                 nothing behind.
-- MOST     64 entries of some 20 commands each
-- include: clock
-- include: joining
-- include when needed: lanes
-- include when needed: pace
-- include when needed: admit
-- include when needed: api_keys
local now = now_ms()
local created_at = string.format('%.0f', now)
local shared_priority = tonumber(priority)
local score = urgency(shared_priority, now)
local in_index, in_lane, size = {}, {}, 0
local reply = { now }
local waiting, room = 0, math.huge
if max_waiting ~= '0' then
  waiting = tonumber(redis.call('HGET', key_waiting(), function_name) or '0')
  room = tonumber(max_waiting) - waiting
end
local is_valid_key = {}

-- read_parts(at, last): what an entry asks for by name, and the further fields of its record.
local function read_parts(at, last)
  local asked, fields = {}, {}
  for i = at, last, 2 do
    local name = ARGV[i]
    if string.byte(name) == 64 then
      asked[name] = ARGV[i + 1]
    else
      fields[#fields + 1] = name
      fields[#fields + 1] = ARGV[i + 1]
    end
    if name == 'key' or name == 'priority' then
      asked[name] = ARGV[i + 1]
    end
  end
  return asked, fields
end

-- refuse(id, asked): why an entry is not born, as its answer; nil if it may be.
local function refuse(id, asked)
  if asked['@repeatable'] then
    local created = redis.call('HGET', key_record(id), 'created_at')
    if created then
      return { 'NEW', id, tonumber(created), -1, 0 }
    end
  end
  local api_key = asked['@api_key']
  if api_key then
    if is_valid_key[api_key] == nil then
      is_valid_key[api_key] = rare().is_valid(api_key, now) or false
    end
    if not is_valid_key[api_key] then
      return { 'REVOKED', id, 0, -1, 0 }
    end
  end
  if asked['@idempotency'] then
    local digest, body = string.match(asked['@idempotency'], '^(%S+) (%S+)')
    local first = redis.call('HMGET', key_idempotency(digest), 'id', 'body')
    if first[1] then
      return { first[2] == body and 'REPLAYED' or 'CONFLICT', first[1], 0, -1, 0 }
    end
  end
  if asked['@once'] then
    local repeated = redis.call('HGET', key_record(asked['@retried']), 'retried_by')
    if repeated then
      return { 'RETRIED', repeated, 0, -1, 0 }
    end
  end
  if asked['@pace'] then
    local count, per_ms, caller = string.match(asked['@pace'], '^(%d+) (%d+) (.*)$')
    local wait_ms = rare().admit(caller, count, per_ms, now)
    if wait_ms then
      return { 'LIMITED', id, wait_ms, 0, wait_ms + per_ms }
    end
  end
  return nil
end

-- note_birth(id, asked): what else must know of an entry that is born. Returns its answer.
local function note_birth(id, asked)
  local answer = 0
  if asked['@pace'] then
    local count, per_ms, caller = string.match(asked['@pace'], '^(%d+) (%d+) (.*)$')
    local left, back_ms = rare().count_call(caller, count, per_ms, now)
    answer = { 'NEW', id, now, left, back_ms }
  end
  if asked['@idempotency'] then
    local digest, body, ttl_ms = string.match(asked['@idempotency'], '^(%S+) (%S+) (%d+)$')
    redis.call('HSET', key_idempotency(digest), 'id', id, 'body', body)
    redis.call('PEXPIRE', key_idempotency(digest), ttl_ms)
  end
  if asked['@tags'] then
    for tag in string.gmatch(asked['@tags'], '[^\n]+') do
      redis.call('ZADD', key_index('tag:' .. tag), 0, id)
    end
  end
  local retried = asked['@retried']
  if retried then
    redis.call('HSET', key_record(id), 'retry_of', retried)
    if redis.call('EXISTS', key_record(retried)) == 1 then
      redis.call('HSET', key_record(retried), 'retried_by', id)
    end
  end
  return answer
end

-- place(id, asked): an entry that is born goes into its lane, now or when it is due.
local function place(id, asked)
  local due = tonumber(asked['@run_at_ms'] or '0')
  if asked['@delay_ms'] then
    due = now + tonumber(asked['@delay_ms'])
  end
  local is_later = due > now
  if asked['@max_age_ms'] then
    local expires_at = math.max(now, due) + tonumber(asked['@max_age_ms'])
    redis.call('HSET', key_record(id), 'expires_at', expires_at)
    redis.call('ZADD', key_expiring(), expires_at, id)
  end
  if is_later then
    redis.call('HSET', key_record(id), 'status', 'scheduled', 'scheduled_for', due)
    redis.call('ZADD', key_index('scheduled'), 0, id)
    redis.call('ZADD', key_index('scheduled:' .. function_name), 0, id)
    rare().put_later(queue, id, due)
    return
  end
  in_index[#in_index + 1], in_index[#in_index + 2] = '0', id
  local own = tonumber(asked.priority or shared_priority)
  if asked.key then
    put_all_in_lane(queue, function_name, asked.key, { urgency(own, now), id })
  else
    in_lane[#in_lane + 1] = own == shared_priority and score or urgency(own, now)
    in_lane[#in_lane + 1] = id
  end
end

local at, last = rest, #ARGV
while at < last do
  local id, arguments, words = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local asked, fields
  local answer = nil
  if words > 0 then
    asked, fields = read_parts(at + 3, at + 2 + words)
    answer = refuse(id, asked)
  end
  if not answer and room < 1 then
    answer = { 'FULL', id, waiting, -1, 0 }
  end
  if not answer then
    room, waiting = room - 1, waiting + 1
    if waiter ~= '' then
      redis.call('HSET', key_record(id), 'function', function_name, 'queue', queue,
        'created_at', created_at, 'status', 'queued', 'version', version, 'arguments', arguments,
        'waiters', waiter)
    else
      redis.call('HSET', key_record(id), 'function', function_name, 'queue', queue,
        'created_at', created_at, 'status', 'queued', 'version', version, 'arguments', arguments)
    end
    if words > 0 then
      if #fields > 0 then
        redis.call('HSET', key_record(id), unpack(fields))
      end
      if not asked.priority and shared_priority ~= 5 then
        redis.call('HSET', key_record(id), 'priority', priority)
      end
      place(id, asked)
      answer = note_birth(id, asked)
    else
      if shared_priority ~= 5 then
        redis.call('HSET', key_record(id), 'priority', priority)
      end
      in_index[#in_index + 1], in_index[#in_index + 2] = '0', id
      in_lane[#in_lane + 1], in_lane[#in_lane + 2] = score, id
      answer = 0
    end
  end
  reply[#reply + 1] = answer
  at = at + 3 + words
end
if in_index[1] then
  redis.call('ZADD', key_index('live'), unpack(in_index))  -- at most 64 pairs
  redis.call('ZADD', key_index('live:' .. function_name), unpack(in_index))
end
if in_lane[1] then
  put_all_in_lane(queue, function_name, '', in_lane)
end
return reply
