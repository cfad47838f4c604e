-- check_batch: check a batch's counts of its members, and that it finishes when they have finished.
--
-- ARGV     repair, batch, succeeded, failed, cancelled, expired, missing, unended...
--          how many members had finished with each status and how many had no record when they were
--          looked up (this never changes), then the ids of all other members
-- RETURNS  {1 if it could be compared else 0, {findings…}}, see include/findings.lua
-- MOST     4,000 unfinished members: 4,100 steps
-- WHY ONE SCRIPT  as check_invocations.
--
-- Finished members may be deleted already: for those the batch's own counts are trusted. A member
-- that has no record and was not counted as finished was lost. It counts as failed, or the batch
-- would never finish.
-- include: clock
-- include: batch_counts
-- include: findings
local LIVING = { 'queued', 'scheduled', 'retrying', 'running' }
local ENDED = { 'succeeded', 'failed', 'cancelled', 'expired' }
local key = key_batch(batch)
local size = tonumber(redis.call('HGET', key, 'size') or '0')
local is = { succeeded = succeeded + 0, failed = failed + 0, cancelled = cancelled + 0,
  expired = expired + 0 }
local known = is.succeeded + is.failed + is.cancelled + is.expired + missing + #ARGV - rest + 1
if size == 0 or known ~= size then
  return { 0, {} }
end
for at = rest, #ARGV do
  local status = redis.call('HGET', key_record(ARGV[at]), 'status')
  if status then
    is[status] = (is[status] or 0) + 1
  end
end

local should, living, ended = {}, 0, 0
for _, status in ipairs(LIVING) do
  should[status] = is[status] or 0
  living = living + should[status]
end
for _, status in ipairs(ENDED) do
  local counted = tonumber(redis.call('HGET', key, status) or '0') or 0
  should[status] = math.max(counted, is[status])
  ended = ended + should[status]
end
-- Counted too many: lower the counts of members without a record. Counted too few: those were lost.
local over = ended - (size - living)
for _, status in ipairs(ENDED) do
  local spare = math.max(0, math.min(over, should[status] - is[status]))
  should[status] = should[status] - spare
  over = over - spare
end
should.failed = should.failed + math.max(0, -over)

for status, count in pairs(should) do
  local counted = tonumber(redis.call('HGET', key, status) or '0') or 0
  if counted ~= count and found('wrong_batch_count', batch,
    counted .. ' counted as ' .. status, 'there are ' .. count) then
    redis.call('HSET', key, status, count)
  end
end
if living == 0 and not redis.call('HGET', key, 'finished_at')
  and found('batch_without_end', batch, 'all its members have ended, but it has not', 'ended') then
  count_in_batch(batch, now_ms(), nil, 'failed', 0)
end
return { 1, findings }
