-- sweep: take away finished invocations whose time is over, from every index they are in.
--
-- ARGV     most
-- RETURNS  how many went
-- MOST     12 steps an invocation, of at most `most`
-- WHY ONE SCRIPT  an id that is listed has a record.
-- include: clock
local now = now_ms()
local ids = redis.call('ZRANGEBYSCORE', key_retention(), '-inf', now, 'LIMIT', 0, most)
for _, id in ipairs(ids) do
  local f = redis.call('HMGET', key_record(id), 'function', 'status', 'tags')
  if f[1] then
    redis.call('ZREM', key_index('end:' .. f[2]), id)
    redis.call('ZREM', key_index('end:' .. f[1] .. ':' .. f[2]), id)
    if f[3] then
      for _, tag in ipairs(cjson.decode(f[3])) do
        redis.call('ZREM', key_index('tag:' .. tag), id)
      end
    end
  end
  redis.call('UNLINK', key_record(id), key_events(id))
  redis.call('ZREM', key_retention(), id)
end
return #ids
