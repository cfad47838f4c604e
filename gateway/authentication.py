"""Who may come in: closed or open, and a route without a scope refuses everybody.

A gateway is open to all who can reach it (a loopback bind, or `auth` off), or asks
for an API key or a session. A key that is shown is always checked; a Bearer of another kind
is nobody's business on an open gateway but the function's. Then the route table says which
scope an operation needs (`gateway.permissions`).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import falcon
from falcon.asgi import Request, Response

from gateway.application import noted_header
from gateway.callers import ANYBODY, CALLER, Caller, address_of, caller_with
from gateway.error_handlers import problem_of
from gateway.key_checking import KeyChecker, shown_key, unauthenticated
from gateway.permissions import require_permission
from gateway.preferences import read_query_lists
from gateway.problems import ProblemError
from gateway.routes import allowed_methods, find_operation, is_open_path
from gateway.same_origin import SAFE_METHODS, comes_from_elsewhere, proves_origin
from gateway.session_cookie import session_of
from runtime.access.api_key import read_key
from runtime.access.key_text import KEY_PREFIX
from runtime.errors import PenstockError
from runtime.store import access_calls
from runtime.store.multiplexer import Multiplexer

_PAGES = frozenset({"/", "/docs"})
_LOGIN = "/dashboard/login"
_INVOKING = "/functions/"


class Doorkeeper:
    """Falcon middleware that judges every request, first by key and then by scope.

    Args:
        is_open: Whether callers need no key.
        checker: Knows keys.
        store: Knows sessions.
        public_origin: The origin that browsers see, where a proxy hides it from us.
    """

    def __init__(
        self, *, is_open: bool, checker: KeyChecker, store: Multiplexer, public_origin: bytes = b""
    ) -> None:
        self._is_open = is_open
        self._checker = checker
        self._store = store
        self._public_origin = public_origin

    async def process_request(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Refuse who shows no key where one is needed, or one that is unknown."""
        await self._admit(req.scope)

    async def judge_early(self, scope: dict[str, Any]) -> ProblemError | None:
        """Judge a request of which only the head has come; return why it is refused.

        It is judged again once its body is there: that takes long enough to revoke a key.
        """
        try:
            await self._admit(scope)
        except ProblemError as problem:
            return problem
        except PenstockError as error:
            return problem_of(error)
        except falcon.HTTPSeeOther:  # a page's: it takes no body that matters
            pass
        return None

    async def _admit(self, scope: dict[str, Any]) -> None:
        authorization = noted_header(scope, b"authorization")
        shown = None if authorization is None else shown_key(authorization)
        is_change = scope["method"] not in SAFE_METHODS
        if is_change and not _is_bearer(authorization):
            self._refuse_other_sites(scope)
        if self._is_open and (shown is None or not shown.startswith(KEY_PREFIX)):
            scope[CALLER] = ANYBODY
            return
        if is_open_path(scope["method"], scope["path"]):
            return
        if shown is not None:
            scope[CALLER] = await self._caller_with(scope, shown)
        else:
            scope[CALLER] = await self._caller_of_session(scope, is_change=is_change)

    async def process_resource(
        self,
        req: Request,
        resp: Response,  # noqa: ARG002 - Falcon's signature
        resource: object,  # noqa: ARG002 - Falcon's signature
        params: dict[str, Any],
    ) -> None:
        """Refuse what the caller may not, and query parameters an operation does not know."""
        operation = find_operation(req.uri_template or "", req.method)
        if operation is None:
            if req.method == "OPTIONS":
                return
            raise _unknown_method(req)
        if operation.scope != "open":
            caller: Caller | None = req.scope.get(CALLER)
            if caller is None:
                raise unauthenticated("Show an API key as `Authorization: Bearer …`.")
            require_permission(operation, caller, params)
        if req.query_string and not operation.reads_own_query:
            read_query_lists(req.query_string, operation.query)

    async def _caller_with(self, scope: dict[str, Any], shown: str) -> Caller:
        # Only what invokes is judged again, by the script that accepts it.
        is_judged_again = scope["method"] == "POST" and scope["path"].startswith(_INVOKING)
        key = await self._checker.check(shown, address_of(scope), is_judged_again=is_judged_again)
        return caller_with(key)

    async def _caller_of_session(self, scope: dict[str, Any], *, is_change: bool) -> Caller:
        digest, path = session_of(scope), scope["path"]
        if digest is None:
            if path in _PAGES and "text/html" in (noted_header(scope, b"accept") or ""):
                raise falcon.HTTPSeeOther(f"{_LOGIN}?next={quote(path, safe='')}")
            raise unauthenticated("Show an API key as `Authorization: Bearer …`.")
        if is_change and not proves_origin(scope):
            raise _from_another_site()
        found = await self._store.run(access_calls.find_session(digest))
        if found is None:
            raise unauthenticated("This session is over; log in again.")
        self._checker.note_time(found.now_ms)
        key = read_key(found.key)
        return Caller(
            grant=key.grant,
            name=key.name,
            key_id=key.id,
            rate=key.rate,
            expires_at_ms=found.ends_at_ms,
            session=digest,
        )

    def _refuse_other_sites(self, scope: dict[str, Any]) -> None:
        if comes_from_elsewhere(scope, self._public_origin):
            raise _from_another_site()


def _is_bearer(authorization: str | None) -> bool:
    return authorization is not None and authorization[:7].lower() == "bearer "


def _from_another_site() -> ProblemError:
    return ProblemError(
        "cross_site_refused",
        "A browser sends this for a page that is not ours, or does not say for which.",
    )


def _unknown_method(req: Request) -> ProblemError:
    allowed = ", ".join(allowed_methods(req.uri_template or ""))
    return ProblemError(
        "method_not_allowed", f"{req.path} takes {allowed}.", headers={"Allow": allowed}
    )
