-- has_failed(id): whether an invocation failed or expired, and nobody has retried it.
local function has_failed(id)
  local f = redis.pcall('HMGET', key_record(id), 'status', 'retried_by')  -- it may be damaged
  return (f[1] == 'failed' or f[1] == 'expired') and not f[2]
end

-- refuse_repeated(digest, body_digest, is_webhook): if the idempotency key was used before, answer
-- with its first request: REPLAYED if the body is the same, else CONFLICT. nil if it was not used,
-- or a webhook is sent again whose first invocation has failed: the new one then takes the key.
local function refuse_repeated(digest, body_digest, is_webhook)
  local key = key_idempotency(digest)
  local first = redis.call('HGET', key, 'id')
  if first then
    if redis.call('HGET', key, 'body') ~= body_digest then
      return { 'CONFLICT', first, 0, -1, 0 }
    end
    if not (is_webhook and has_failed(first)) then
      return { 'REPLAYED', first, 0, -1, 0 }
    end
  end
end

-- remember_first(digest, body_digest, ttl_ms, id): store the first request of an idempotency key.
local function remember_first(digest, body_digest, ttl_ms, id)
  local key = key_idempotency(digest)
  redis.call('HSET', key, 'id', id, 'body', body_digest)
  redis.call('PEXPIRE', key, ttl_ms)
end
