-- join_batch: the next members of a large batch that was committed join the queue.
--
-- ARGV     batch
-- RETURNS  how many have yet to join
-- MOST     1,000 members: 4 steps each
-- One damaged batch keeps no other from joining: it is listed with what was set aside.
-- WHY ONE SCRIPT  how many have joined and who they are is one fact: the gateway that committed the
--                 batch and a worker that takes over from it may both be at it.
-- include: clock
-- include: join_slice
local now = now_ms()
local is_sound, left = pcall(join_slice, batch, 1000, now)
if not is_sound then
  note_broken(batch, {}, 'a batch: ' .. reason_of(left), now)
  redis.call('ZREM', key_joining(), batch)
  return 0
end
return left
