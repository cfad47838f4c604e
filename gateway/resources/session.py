"""/session: log in with an API key and get a cookie for it; show the caller; log out.

Redis stores the digest of a session, not its text. A session stands for its key: it ends with the
key, after twelve hours, or when its owner logs out, on every gateway at once.
"""

from __future__ import annotations

import structlog
from falcon.asgi import Request, Response

from gateway.auth.caller import Caller, address_of, caller_of, caller_with
from gateway.auth.key_body import read_login
from gateway.auth.key_check import KeyChecker, unauthenticated
from gateway.auth.session_cookie import LONGEST_MS, cookie_for, cookie_to_forget, session_of
from gateway.resources.json_answer import answer_json
from gateway.resources.keys import require_json
from gateway.serving.request_parser import BODY
from runtime.access.api_key import digest_of_session, generate_session_text
from runtime.invocations.view import moment
from runtime.store import access_commands
from runtime.store.async_connection import AsyncConnection

_log = structlog.get_logger(__name__)
_JSON = "application/json"


class Session:
    """GET, POST and DELETE /session."""

    def __init__(self, store: AsyncConnection, checker: KeyChecker, *, public_url: str) -> None:
        self._store = store
        self._checker = checker
        self._is_public_secure = public_url.startswith("https:")

    async def on_get(self, req: Request, resp: Response) -> None:
        """Show the caller."""
        _show(resp, caller_of(req.scope))

    async def on_post(self, req: Request, resp: Response) -> None:
        """Log in: check the key and start a session."""
        require_json(req)
        key = await self._checker.check(read_login(req.scope[BODY]), address_of(req.scope))
        text = generate_session_text()
        lasts_ms = await self._store.run(
            access_commands.open_session(
                digest_of_session(text) or "", key.id, longest_ms=LONGEST_MS
            )
        )
        if not lasts_ms:
            raise unauthenticated("This API key is not known.")
        _log.info("session_opened", key=key.id, name=key.name)
        cookie = cookie_for(text, lasts_ms=lasts_ms, is_secure=self._is_secure(req))
        resp.append_header("Set-Cookie", cookie)
        resp.set_header("Cache-Control", "no-store")
        _show(resp, caller_with(key))

    async def on_delete(self, req: Request, resp: Response) -> None:
        """Log out: end the session."""
        digest = session_of(req.scope)
        if digest is not None:
            await self._store.run(access_commands.close_session(digest))
        resp.append_header("Set-Cookie", cookie_to_forget(is_secure=self._is_secure(req)))
        resp.status = 204

    def _is_secure(self, req: Request) -> bool:
        """Whether the browser uses TLS, to this server or to a proxy in front of it."""
        forwarded = (req.get_header("X-Forwarded-Proto") or "").partition(",")[0].strip()
        return req.scheme == "https" or forwarded == "https" or self._is_public_secure


def _show(resp: Response, caller: Caller) -> None:
    answer_json(
        resp,
        {
            "open": caller.name is None,
            "name": caller.name,
            "key": caller.key_id or None,
            "scopes": list(caller.grant.scopes),
            "reads": caller.grant.reads,
            "operates": caller.grant.operates,
            "expires_at": moment(caller.expires_at_ms),
            "session": caller.is_session,
        },
    )
