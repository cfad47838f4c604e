-- wake_worker: leave a token for one blocked worker.
--
-- ARGV     queue
-- RETURNS  OK
-- MOST     2 steps
-- WHY ONE SCRIPT  one token at most: two would wake a worker for nothing.
-- include: clock
-- include: lanes
wake(queue)
return 'OK'
