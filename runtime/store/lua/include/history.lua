-- The attempts of an invocation except the last, bounded in size whatever their number: `history`
-- is a list of JSON entries, `outputs` a list of what the attempts printed.
local FIRST, LAST, WITH_TRACEBACK = 5, 20, 3
local LONGEST_ERROR, LONGEST_TRACEBACK, LONGEST_MESSAGE = 6000, 4000, 1000
-- JSON may write one byte as six, e.g. \u0000.
local ESCAPED = 6
local LONGEST_OUTPUT, MOST_OUTPUT = 16384, 65536

-- cut(text, most): the first `most` bytes of a text or, if negative, the last ones, without
-- splitting a UTF-8 character.
local function cut(text, most)
  if #text <= math.abs(most) then
    return text
  end
  local at = most < 0 and #text + most + 1 or most + 1
  while at > 1 and at <= #text and string.byte(text, at) >= 128 and string.byte(text, at) < 192 do
    at = at + (most < 0 and 1 or -1)
  end
  return most < 0 and '…' .. string.sub(text, at) or string.sub(text, 1, at - 1) .. '…'
end

-- shorten_error(error, longest_traceback): JSON of an error with its texts cut; 0 drops the
-- traceback.
local function shorten_error(error, longest_traceback)
  local is_json, e = pcall(cjson.decode, error)
  if not is_json or type(e) ~= 'table' then
    return 'null'
  end
  local function encode(part)
    if type(e.message) == 'string' then
      e.message = cut(e.message, math.floor(LONGEST_MESSAGE / part))
    end
    if type(e.traceback) == 'string' then
      e.traceback = longest_traceback > 0
        and cut(e.traceback, -math.floor(longest_traceback / part)) or cjson.null
    end
    return cjson.encode(e)
  end
  local short = encode(1)
  return #short <= 1.5 * (LONGEST_MESSAGE + longest_traceback) and short or encode(ESCAPED)
end

-- earlier_attempts(id): the entries, separated by commas.
local function earlier_attempts(id)
  return table.concat(redis.call('LRANGE', key_history(id), 0, -1), ',')
end

-- keep_output(id, attempt, text): append an attempt's output. If the total is too long, the oldest
-- entries are removed and an entry of attempt 0 marks the gap.
local function keep_output(id, attempt, text)
  local key, size = key_outputs(id), 0
  redis.call('RPUSH', key, attempt .. '\n' .. cut(text, -LONGEST_OUTPUT))
  local entries = redis.call('LRANGE', key, 0, -1)
  for at = #entries, 1, -1 do
    size = size + #entries[at]
    if size > MOST_OUTPUT then
      redis.call('LTRIM', key, at, -1)
      redis.call('LPUSH', key, '0\n')
      return
    end
  end
end

-- note_attempt(id, was, now, outcome, error): record an attempt that was not the last. The first 5
-- and the last 20 entries are kept, the latest 3 with a traceback. Output moves out of the record.
local function note_attempt(id, was, now, outcome, error)
  local key, record = key_history(id), key_record(id)
  if #error > LONGEST_ERROR then
    error = shorten_error(error, LONGEST_TRACEBACK)
  end
  local count = redis.call('RPUSH', key, '{"attempt":' .. was.attempt
    .. ',"started_at_ms":' .. was.started_at .. ',"finished_at_ms":' .. now
    .. ',"worker":' .. cjson.encode(was.worker) .. ',"outcome":"' .. outcome
    .. '","error":' .. (error ~= '' and error or 'null') .. '}')
  if count > WITH_TRACEBACK then
    local older = redis.call('LINDEX', key, -1 - WITH_TRACEBACK)
    local begins, ends = string.find(older, '"error":', 1, true)
    local shorter = shorten_error(string.sub(older, ends + 1, -2), 0)
    redis.call('LSET', key, -1 - WITH_TRACEBACK, string.sub(older, 1, ends) .. shorter .. '}')
  end
  if count > FIRST + LAST then
    redis.call('LSET', key, FIRST, '')
    redis.call('LREM', key, 1, '')
  end
  local output = redis.call('HGET', record, 'logs')
  if output then
    redis.call('HDEL', record, 'logs')
    keep_output(id, was.attempt, output)
  end
end
