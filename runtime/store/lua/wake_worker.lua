-- wake_worker: leave a wake-up token for one blocked worker.
--
-- ARGV     queue
-- RETURNS  OK
-- MOST     2 steps
-- WHY ONE SCRIPT  at most one token: two would wake a worker for nothing.
-- include: clock
-- include: lanes
wake(queue)
return 'OK'
