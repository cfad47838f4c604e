-- read_facts(id): the fields of a record that a change of its status needs.
local function read_facts(id)
  local f = redis.call('HMGET', key_record(id), 'status', 'token', 'function', 'queue', 'key',
    'priority', 'created_at', 'callback', 'waiters', 'watchers', 'batch', 'worker', 'cancelling',
    'attempt', 'started_at', 'expires_at', 'scheduled_for')
  return {
    status = f[1], token = f[2], function_name = f[3], queue = f[4], key = f[5] or '',
    priority = tonumber(f[6] or '5'), created_at = tonumber(f[7] or '0'), callback = f[8],
    waiters = f[9], watchers = f[10], batch = f[11], worker = f[12], is_cancelling = f[13],
    attempt = f[14], started_at = f[15], expires_at = f[16], scheduled_for = f[17],
  }
end
