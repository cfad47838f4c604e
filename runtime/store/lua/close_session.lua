-- close_session: end a session and notify every gateway.
--
-- ARGV     digest
-- RETURNS  1 if the session existed, else 0
-- MOST     4 steps
-- WHY ONE SCRIPT  a gateway that gets the notice must not find the session any more.
local count = redis.call('DEL', key_session(digest))
redis.call('PUBLISH', key_access_news(), '~' .. digest)
return count
