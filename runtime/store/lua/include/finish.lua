-- include: broken_list
-- include: create_delivery
-- include: ending
-- include: history
-- notify(id, gateways): send the record, as HGETALL gives it but without what the waiter has or
-- does not need, to each gateway that waits.
local function notify(id, gateways)
  local all = redis.call('HGETALL', key_record(id))
  local earlier = earlier_attempts(id)
  if earlier ~= '' then
    all[#all + 1], all[#all + 2] = 'attempts', earlier
  end
  local parts, count = {}, 0
  for i = 1, #all, 2 do
    local name = all[i]
    if name ~= 'arguments' and name ~= 'request' and name ~= 'logs' then
      count = count + 2
      parts[#parts + 1] = '$' .. #name .. '\r\n' .. name .. '\r\n$' .. #all[i + 1] .. '\r\n'
      parts[#parts + 1] = all[i + 1]
      parts[#parts + 1] = '\r\n'
    end
  end
  local payload = id .. '\n*' .. count .. '\r\n' .. table.concat(parts)
  for gateway in string.gmatch(gateways, '%S+') do
    redis.call('PUBLISH', key_inbox(gateway), payload)
  end
end

-- poke(id, gateways): there is news of an invocation whose events those gateways follow.
local function poke(id, gateways)
  if gateways then
    for gateway in string.gmatch(gateways, '%S+') do
      redis.call('PUBLISH', key_inbox(gateway), id .. '\n')
    end
  end
end

-- move_members(batch, now, before, after, count): members of a batch have moved, one or so many;
-- the last to finish ends the batch and makes its callback.
local function move_members(batch, now, before, after, count)
  local key = key_batch(batch)
  if redis.call('HEXISTS', key, 'size') == 0 then
    return  -- it is gone: a count of nothing would stay for ever
  end
  if before then
    redis.call('HINCRBY', key, before, -(count or 1))
  end
  redis.call('HINCRBY', key, after, count or 1)
  local f = redis.call('HMGET', key, 'size', 'succeeded', 'failed', 'cancelled', 'expired',
    'finished_at', 'callback', 'function')
  local ended = (f[2] or 0) + (f[3] or 0) + (f[4] or 0) + (f[5] or 0)
  if not f[6] and f[1] and ended >= tonumber(f[1]) then
    redis.call('HSET', key, 'finished_at', now)
    redis.call('PEXPIRE', key, 604800000)
    redis.call('PEXPIRE', key_batch_items(batch), 604800000)
    if f[7] then
      redis.call('HSET', key, 'delivery', 'dlv_' .. batch)
      create_delivery('dlv_' .. batch, batch, f[8], 'finished', f[7], now)
    end
  end
end

-- count_in_batch(batch, now, before, after, count): as move_members; a batch that cannot be counted
-- harms none of its members.
local function count_in_batch(batch, now, before, after, count)
  local is_sound, problem = pcall(move_members, batch, now, before, after, count)
  if not is_sound then
    note_broken(batch, {}, 'a batch: ' .. reason_of(problem), now)
  end
end

-- read_facts(id): what moves and endings need to know of a record.
local function read_facts(id)
  local f = redis.call('HMGET', key_record(id), 'status', 'token', 'function', 'queue', 'key',
    'priority', 'created_at', 'callback', 'waiters', 'watchers', 'batch', 'worker', 'cancelling',
    'attempt', 'started_at', 'expires_at', 'scheduled_for')
  return {
    status = f[1], token = f[2], function_name = f[3], queue = f[4], key = f[5] or '',
    priority = tonumber(f[6] or '5'), created_at = tonumber(f[7] or '0'), callback = f[8],
    waiters = f[9], watchers = f[10], batch = f[11], worker = f[12], is_cancelling = f[13],
    attempt = f[14], started_at = f[15], expires_at = f[16], scheduled_for = f[17],
  }
end

-- finish(id, was, status, ttl_ms, now, fields): the one way an invocation ends of which anything
-- may be special. `was` comes from read_facts; `fields` are further pairs of the record.
local function finish(id, was, status, ttl_ms, now, fields)
  local place = place_of(was.function_name, status)
  local ran_ms, waited_ms  -- what may fail comes before what is written
  if was.status == 'running' then
    ran_ms = now - was.started_at
    if was.attempt == '1' then
      waited_ms = math.max(0, was.started_at - (was.scheduled_for or was.created_at))
    end
  end
  local delivery_id = was.callback and 'dlv_' .. id
  if delivery_id then
    fields[#fields + 1] = 'delivery'
    fields[#fields + 1] = delivery_id
    ttl_ms = math.max(tonumber(ttl_ms), 604800000)
  end
  end_record(id, place, status, ttl_ms, now, fields)
  if was.attempt and (was.attempt ~= '1' or was.status ~= 'running') then
    local _, live_ms = kept_for(ttl_ms, now)
    redis.call('PEXPIRE', key_history(id), live_ms)
    redis.call('PEXPIRE', key_outputs(id), live_ms)
  end
  if was.status == 'scheduled' or was.status == 'retrying' then
    remove_member(key_index(was.status), id)
    remove_member(key_index(was.status .. ':' .. was.function_name), id)
  end
  if ran_ms then
    tally_time(place.run, ran_ms)
  end
  if waited_ms then
    tally_time(place.queue, waited_ms)
  end
  if delivery_id then
    create_delivery(delivery_id, id, was.function_name, status, was.callback, now)
  end
  if was.expires_at then
    redis.call('ZREM', key_expiring(), id)
  end
  poke(id, was.watchers)
  if was.waiters then
    notify(id, was.waiters)
  end
  if was.batch then
    count_in_batch(was.batch, now, was.status, status)
  end
end
