-- submit_invocations: create invocations of one function: records, lane entries, wake-up. Calls
-- that reach a gateway together share the script, because most of the cost (entries in the lane and
-- the indexes, counts, wake-up) is the same for many as for one.
--
-- ARGV     function_name, queue, version, priority, max_waiting, waiter, entries...
--          waiter is the gateway to notify when they finish, or ''; max_waiting 0 means no limit
--          an entry is id, arguments, n, then n words: pairs of a name and a value. `@name` is an
--          option (below), any other name is a further field of the record.
--            @api_key      id of the caller's API key: REVOKED if it is no longer valid
--            @rate         count, ms and name of the caller, separated by blanks: LIMITED beyond it
--            @idempotency  digest, body digest and ttl in ms, separated by blanks: REPLAYED or
--                          CONFLICT; with a fourth word, `webhook`, NEW again if the first failed
--            @delay_ms, @run_at_ms, @max_age_ms
--            @tags         labels, separated by line feeds
--            @retry_of     the invocation that it retries
--            @only_retry   the same; RETRIED if it has been retried before
--            @repeatable   the same id may be sent twice and is created once
-- RETURNS  {created_at, an answer for each entry: 0 for NEW with nothing more to report, else
--          {NEW | REPLAYED | CONFLICT | RETRIED | FULL | LIMITED | REVOKED, id, number, calls left
--          for the caller or -1, ms until all of them are back}}; number is created_at (NEW), how
--          many wait (FULL) or ms to wait (LIMITED)
-- MOST     64 entries of 26 steps each
-- WHY ONE SCRIPT  a caller that holds the id must find the record, a woken worker must find it in
--                 its lane, a repeated request must find the first, and a refused one must leave
--                 nothing behind.
-- include: clock
-- include: api_keys
-- include: create_invocation
-- include: idempotency_keys
-- include: queue_capacity
-- include when needed: caller_rate_limit
local words = ARGV
local now = now_ms()
local created_at = string.format('%.0f', now)
local shared_priority = tonumber(priority)
local score = urgency(shared_priority, now)
local reply = { now }
local room, waiting = room_for(function_name, max_waiting)
local valid_keys, scores, fields = {}, {}, {}

-- refuse(id, asked): the refusal of an entry with options, or nil. The API key is checked before.
local function refuse(id, asked)
  local answer = nil
  if asked['@only_retry'] then
    local repeated = redis.call('HGET', key_record(asked['@only_retry']), 'retried_by')
    answer = repeated and { 'RETRIED', repeated, 0, -1, 0 }
  end
  if not answer and asked['@rate'] then
    local count, per_ms, caller = string.match(asked['@rate'], '^(%d+) (%d+) (.*)$')
    answer = lazy().refuse_limited(id, caller, count, per_ms, now)
  end
  return answer
end

-- refuse_key(id, api_key): the refusal of an entry whose API key is not valid, else false.
local function refuse_key(id, api_key)
  if valid_keys[api_key] == nil then
    valid_keys[api_key] = is_valid(api_key, now) and true or false
  end
  return not valid_keys[api_key] and { 'REVOKED', id, 0, -1, 0 }
end

-- note_created(id, asked): store what a created entry's options require. Returns its answer.
local function note_created(id, asked)
  local answer = 0
  if asked['@rate'] then
    local count, per_ms, caller = string.match(asked['@rate'], '^(%d+) (%d+) (.*)$')
    answer = { 'NEW', id, now, lazy().count_call(caller, count, per_ms, now) }
  end
  local repeated = asked['@retry_of'] or asked['@only_retry']
  if repeated then
    redis.call('HSET', key_record(id), 'retry_of', repeated)
    if redis.call('EXISTS', key_record(repeated)) == 1 then
      redis.call('HSET', key_record(repeated), 'retried_by', id)
    end
  end
  return answer
end

-- bear(id, arguments, count, own_priority): write the record; `fields` has `count` further words.
local function bear(id, arguments, count, own_priority)
  if waiter ~= '' then
    fields[count + 1], fields[count + 2] = 'waiters', waiter
    count = count + 2
  end
  if shared_priority ~= 5 and not own_priority then
    fields[count + 1], fields[count + 2] = 'priority', priority
    count = count + 2
  end
  redis.call('HSET', key_record(id), 'function', function_name, 'queue', queue,
    'created_at', created_at, 'status', 'queued', 'version', version, 'arguments', arguments,
    unpack(fields, 1, count))  -- at most 40
end

-- submit(id, arguments, from, to): create an entry with options, or refuse it. Returns its answer.
local function submit(id, arguments, from, to)
  local count, api_key, digest, body, ttl_ms, mode, key, own_priority, asked = 0
  for at = from, to, 2 do
    local name, value = words[at], words[at + 1]
    if name == '@api_key' then
      api_key = value
    elseif name == '@idempotency' then
      digest, body, ttl_ms, mode = string.match(value, '^(%S+) (%S+) (%d+) ?(%a*)$')
    elseif string.byte(name) == 64 then
      asked = asked or {}
      asked[name] = value
    else
      fields[count + 1], fields[count + 2] = name, value
      count = count + 2
      if name == 'priority' then
        own_priority = value
      elseif name == 'key' then
        key = value
      end
    end
  end
  if asked and asked['@repeatable'] then
    local born_at = redis.call('HGET', key_record(id), 'created_at')
    if born_at then
      return { 'NEW', id, tonumber(born_at), -1, 0 }
    end
  end
  local answer = api_key and refuse_key(id, api_key)
    or digest and refuse_repeated(digest, body, mode == 'webhook') or asked and refuse(id, asked)
  if answer then
    return answer
  end
  if room < 1 then
    return { 'FULL', id, waiting, -1, 0 }
  end
  bear(id, arguments, count, own_priority)
  room, waiting = room - 1, waiting + 1
  if asked or key then
    give_place(id, now, {
      function_name = function_name, queue = queue, key = key, tags = asked and asked['@tags'],
      priority = own_priority and tonumber(own_priority) or shared_priority,
      max_age_ms = asked and asked['@max_age_ms'],
      due_ms = asked and (asked['@delay_ms'] and now + asked['@delay_ms'] or tonumber(asked['@run_at_ms'])),
    })
  elseif own_priority then
    scores[own_priority] = scores[own_priority] or urgency(tonumber(own_priority), now)
    line_up(id, scores[own_priority])
  else
    line_up(id, score)
  end
  if digest then
    remember_first(digest, body, ttl_ms, id)
  end
  return asked and note_created(id, asked) or 0
end

local at, last = rest, #words
while at < last do
  local id, more = words[at], words[at + 2]
  local answer = 0
  if more ~= '0' then
    answer = submit(id, words[at + 1], at + 3, at + 2 + more)
    at = at + more
  elseif room < 1 then
    answer = { 'FULL', id, waiting, -1, 0 }
  else
    room, waiting = room - 1, waiting + 1
    bear(id, words[at + 1], 0)
    line_up(id, score)
  end
  reply[#reply + 1] = answer
  at = at + 3
end
write_created(queue, function_name)
return reply
