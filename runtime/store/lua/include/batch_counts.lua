-- Counts of a batch's members by status.
-- include: broken_list
-- include: create_delivery
-- move_members(batch, now, before, after, count): count members (1 if not given) as moved from
-- status `before` to `after`. When the last member finishes, the batch finishes and its callback's
-- delivery is created.
local function move_members(batch, now, before, after, count)
  local key = key_batch(batch)
  if redis.call('HEXISTS', key, 'size') == 0 then
    return  -- the batch is gone: counting would create a hash that never expires
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

-- count_in_batch(batch, now, before, after, count): as move_members. A batch that cannot be counted
-- is listed in quarantine; its members are not affected.
local function count_in_batch(batch, now, before, after, count)
  local is_sound, problem = pcall(move_members, batch, now, before, after, count)
  if not is_sound then
    note_broken(batch, {}, 'a batch: ' .. reason_of(problem), now)
  end
end
