-- refuse_repeated(digest, body_digest): if the idempotency key was used before, answer with its
-- first request: REPLAYED if the body is the same, else CONFLICT.
local function refuse_repeated(digest, body_digest)
  local key = key_idempotency(digest)
  local first = redis.call('HGET', key, 'id')
  if first then
    local word = redis.call('HGET', key, 'body') == body_digest and 'REPLAYED' or 'CONFLICT'
    return { word, first, 0, -1, 0 }
  end
end

-- remember_first(digest, body_digest, ttl_ms, id): store the first request of an idempotency key.
local function remember_first(digest, body_digest, ttl_ms, id)
  local key = key_idempotency(digest)
  redis.call('HSET', key, 'id', id, 'body', body_digest)
  redis.call('PEXPIRE', key, ttl_ms)
end
