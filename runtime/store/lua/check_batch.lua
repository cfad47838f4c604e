-- check_batch: whether a batch counts its members as they stand, and ends when they have ended.
--
-- ARGV     repair, batch
-- RETURNS  {1 if it could be looked at else 0, {findings…}}, see include/findings.lua
-- MOST     10,000 members: 10,100 steps
-- WHY ONE SCRIPT  as check_invocations; a batch has 10,000 members at most.
--
-- Members that have ended may have been swept: of those there are as many as the batch says. What is
-- neither there nor counted as ended was lost, and counts as failed, or the batch would never end.
-- include: clock
-- include: gather
-- include: tally
-- include: create_delivery
-- include: finish
-- include: findings
local LIVING = { 'queued', 'scheduled', 'retrying', 'running' }
local ENDED = { 'succeeded', 'failed', 'cancelled', 'expired' }
local key = key_batch(batch)
local size = tonumber(redis.call('HGET', key, 'size') or '0')
if size == 0 then
  return { 0, {} }
end
local is, ended_counted = {}, 0
for _, id in ipairs(redis.call('LRANGE', key_batch_items(batch), 0, size - 1)) do
  local status = redis.call('HGET', key_record(id), 'status')
  if status then
    is[status] = (is[status] or 0) + 1
  end
end
local should, living = {}, 0
for _, status in ipairs(LIVING) do
  should[status] = is[status] or 0
  living = living + should[status]
end
for _, status in ipairs(ENDED) do
  local counted = tonumber(redis.call('HGET', key, status) or '0')
  should[status] = math.max(counted, is[status] or 0)
  ended_counted = ended_counted + should[status]
end
local over = ended_counted - (size - living)
for _, status in ipairs(ENDED) do
  local spare = math.min(over, should[status] - (is[status] or 0))
  if spare > 0 then
    should[status] = should[status] - spare
    over = over - spare
  end
end
if over < 0 then
  should.failed = should.failed - over
end
for status, count in pairs(should) do
  local counted = tonumber(redis.call('HGET', key, status) or '0')
  if counted ~= count and found('wrong_batch_count', batch,
    counted .. ' ' .. status .. ' counted', 'there are ' .. count) then
    redis.call('HSET', key, status, count)
  end
end
if living == 0 and not redis.call('HGET', key, 'finished_at')
  and found('batch_without_end', batch, 'all its members have ended, but it has not', 'ended') then
  count_in_batch(batch, now_ms(), nil, 'failed', 0)
end
return { 1, findings }
