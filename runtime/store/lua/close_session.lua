-- close_session: a person leaves; every gateway is told.
--
-- ARGV     digest
-- RETURNS  1 if there was such a session, else 0
-- MOST     4 steps
-- WHY ONE SCRIPT  a gateway that hears of it must not find the session any more.
local count = redis.call('DEL', key_session(digest))
redis.call('PUBLISH', key_access_news(), '~' .. digest)
return count
