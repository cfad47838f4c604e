-- read_batch: read a batch and a page of its members.
--
-- ARGV     batch, from, most
-- RETURNS  {batch as HGETALL, its delivery's status or '', its delivery's number of attempts, {id,
--          record as `summarize_record` returns it}…}
-- MOST     25 steps a member that is listed, at most 500
-- WHY ONE SCRIPT  one round trip, and counts that agree with the members.
-- include: record_summary
local all = redis.call('HGETALL', key_batch(batch))
local reply = { all, '', 0 }
if #all == 0 or not redis.call('HGET', key_batch(batch), 'size') then
  return { {}, '', 0 }
end
local delivery = redis.call('HGET', key_batch(batch), 'delivery')
if delivery then
  reply[2] = redis.call('HGET', key_delivery(delivery), 'status') or ''
  reply[3] = redis.call('LLEN', key_attempts(delivery))
end
if tonumber(most) > 0 then
  local ids = redis.call('LRANGE', key_batch_items(batch), from, from + most - 1)
  for _, id in ipairs(ids) do
    reply[#reply + 1] = { id, summarize_record(id) }
  end
end
return reply
