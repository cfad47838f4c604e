-- join_batch: let the next members of a large committed batch join the queue.
--
-- ARGV     batch
-- RETURNS  how many have yet to join
-- MOST     1,000 members: 4 steps each
-- A damaged batch is listed in quarantine; the others still join.
-- WHY ONE SCRIPT  which members have joined and how many must agree: the gateway that committed the
--                 batch and a worker that takes over from it may call this at the same time.
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
