-- read_queues: read what waits and runs in every queue.
--
-- ARGV
-- RETURNS  for each queue {name, paused 1 or 0, waiting, scheduled or retrying, running,
--          age in ms of the oldest waiting or -1}
-- MOST     4 steps a queue, and what queue_states looks at
-- WHY ONE SCRIPT  figures of one moment.
-- include: clock
-- include: queue_state
return queue_states(now_ms())
