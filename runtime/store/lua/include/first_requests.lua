-- refuse_repeated(digest, body_digest): the first request of an idempotency key is the answer.
local function refuse_repeated(digest, body_digest)
  local key = key_idempotency(digest)
  local first = redis.call('HGET', key, 'id')
  if first then
    local word = redis.call('HGET', key, 'body') == body_digest and 'REPLAYED' or 'CONFLICT'
    return { word, first, 0, -1, 0 }
  end
end

local function remember_first(digest, body_digest, ttl_ms, id)
  local key = key_idempotency(digest)
  redis.call('HSET', key, 'id', id, 'body', body_digest)
  redis.call('PEXPIRE', key, ttl_ms)
end
