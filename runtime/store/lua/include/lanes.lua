-- Waiting: a lane is a sorted set by urgency, a ring holds every lane that has work, once.
-- Urgency is (9 - priority) * 2^42 + moment in ms: 2^42 ms is 139 years, so priority wins,
-- then age; ids of one ms follow each other as UUIDv7 order does.
local function urgency(priority, at_ms)
  return string.format('%.0f', (9 - priority) * 4398046511104 + at_ms)
end

-- wake(queue): one token for one blocked worker; a claim that leaves work passes it on.
local function wake(queue)
  if redis.call('LLEN', key_wake(queue)) == 0 then
    redis.call('RPUSH', key_wake(queue), '1')
  end
end

local function put_in_lane(queue, lane, id, score)
  if redis.call('HINCRBY', key_queue(queue), 'waiting', 1) == 1 then
    redis.call('SADD', key_queues(), queue)
  end
  local lane_key = key_lane(queue, lane)
  if redis.call('ZADD', lane_key, score, id) == 1 and redis.call('ZCARD', lane_key) == 1 then
    redis.call('RPUSH', key_ring(queue), lane)
  end
  wake(queue)
end

-- put_later(queue, id, due_ms): the blocked workers are woken when this is the next to fall due,
-- so that they block no longer than until then.
local function put_later(queue, id, due_ms)
  local due = key_due(queue)
  redis.call('ZADD', due, due_ms, id)
  if redis.call('ZRANGE', due, 0, 0)[1] == id then
    redis.call('SADD', key_queues(), queue)
    wake(queue)
  end
end
