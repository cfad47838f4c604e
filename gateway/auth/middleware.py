"""Falcon middleware that authenticates every request and checks the scope of its operation.

A gateway is open (on a loopback address, or with `auth` off), or it needs an API key or a session.
A key that is sent is always checked. On an open gateway, a Bearer token that is not an API key is
left to the function; so it is beside a signature. A call of a function that verifies webhooks needs
no key if it is signed. An operation without a scope in the route table refuses every caller.

A page of another origin that CORS allows may change something only with a Bearer key, or, where no
key is needed, by a call without any credentials: a cookie or a password that a browser adds by
itself never counts.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import falcon
from falcon.asgi import Request, Response

from gateway.asgi.error_handlers import problem_of
from gateway.auth.caller import ANYBODY, CALLER, Caller, address_of, caller_with
from gateway.auth.csrf import SAFE_METHODS, comes_from_elsewhere, is_navigation, proves_origin
from gateway.auth.key_check import KeyChecker, shown_key, unauthenticated
from gateway.auth.permissions import require_permission
from gateway.auth.session_cookie import session_of
from gateway.auth.webhook_callers import WebhookCallers
from gateway.parsing.headers import noted_header
from gateway.parsing.preferences import read_query_lists
from gateway.problems import ProblemError
from gateway.routing.routes import BY_TEMPLATE, OPEN_PATHS, OPEN_PREFIXES, allowed_methods
from gateway.serving.allowed_origins import AllowedOrigins
from gateway.serving.request_parser import HEADERS
from runtime.access.api_key import KEY_PREFIX, ApiKey, read_key
from runtime.errors import PenstockError
from runtime.store import access_commands
from runtime.store.async_connection import AsyncConnection

_PAGES = frozenset({"/", "/docs"})
_LOGIN = "/dashboard/login"
_INVOKING = ("/functions/", "/function/", "/async-function/")
_RAW = "/function/"
_MOST_SHOWN = 4096


class AuthMiddleware:
    """Authenticates every request, then checks the scope.

    Args:
        is_open: Whether the gateway needs no key.
        checker: Checks API keys.
        store: The connection to Redis, for sessions.
        webhooks: Verifies the signatures of calls without a key.
        public_origin: The origin that browsers see, if a proxy does not forward its Host header.
        origins: The other origins whose pages may use the gateway.
    """

    def __init__(
        self,
        *,
        is_open: bool,
        checker: KeyChecker,
        store: AsyncConnection,
        webhooks: WebhookCallers,
        public_origin: bytes = b"",
        origins: AllowedOrigins | None = None,
    ) -> None:
        self._is_open = is_open
        self._checker = checker
        self._store = store
        self._webhooks = webhooks
        self._public_origin = public_origin
        self._origins = origins or AllowedOrigins()
        self._shown: dict[bytes, tuple[ApiKey, Caller]] = {}

    async def process_request(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Set the caller of the request; refuse a missing or unknown key."""
        await self._admit(req.scope)

    async def check_early(self, scope: dict[str, Any]) -> ProblemError | None:
        """Check a request whose body has not arrived yet; return why it is refused, or None.

        The check is repeated after the body, because a key can be revoked while the body arrives.
        """
        try:
            await self._admit(scope)
        except ProblemError as problem:
            return problem
        except PenstockError as error:
            return problem_of(error)
        except falcon.HTTPSeeOther:  # the redirect to the login page is sent after the body
            pass
        return None

    async def _admit(self, scope: dict[str, Any]) -> None:
        header: bytes | None = scope[HEADERS].get(b"authorization")
        if header is not None and (caller := self._recall(scope, header)) is not None:
            scope[CALLER] = caller
            return
        authorization = None if header is None else header.decode("latin-1")
        shown = None if authorization is None else shown_key(authorization)
        # A function may change something at any method.
        is_change = scope["method"] not in SAFE_METHODS or scope["path"].startswith(_RAW)
        is_key = shown is not None and shown.startswith(KEY_PREFIX)
        # A page can send any Bearer token where CORS lets it, but only a key proves who calls.
        if is_change and not (is_key and _is_bearer(authorization)):
            self._refuse_other_sites(scope, authorization)
        if self._is_open and not is_key:
            scope[CALLER] = ANYBODY
            return
        if _is_open_path(scope["method"], scope["path"]):
            return
        # A signed call may have a token that is meant for the function.
        if not is_key and await self._webhooks.admit(scope):
            return
        if shown is not None:
            key = await self._checker.check(
                shown, address_of(scope), is_rechecked=_is_rechecked(scope)
            )
            scope[CALLER] = caller = caller_with(key)
            if header is not None and _is_bearer(authorization):
                self._learn(header, key, caller)
        else:
            scope[CALLER] = await self._caller_of_session(scope, is_change=is_change)

    async def process_resource(
        self,
        req: Request,
        resp: Response,  # noqa: ARG002 - Falcon's signature
        resource: object,  # noqa: ARG002 - Falcon's signature
        params: dict[str, Any],
    ) -> None:
        """Refuse a caller without the scope, and query parameters the operation does not have."""
        operation = BY_TEMPLATE.get((req.uri_template or "", req.method))
        if operation is None:
            if req.method == "OPTIONS":
                return
            raise _unknown_method(req)
        if operation.permission != "open":
            caller: Caller | None = req.scope.get(CALLER)
            if caller is None:
                raise unauthenticated("Send an API key as `Authorization: Bearer …`.")
            require_permission(operation, caller, params)
        if req.query_string and not operation.reads_own_query:
            read_query_lists(req.query_string, operation.query)

    def _recall(self, scope: dict[str, Any], header: bytes) -> Caller | None:
        """Return the caller of a header that was checked before, if its key is still valid.

        The dictionary finds a header by its keyed hash and then compares all of it, so the time
        of the lookup does not depend on how much of a secret is right.
        """
        known = self._shown.get(header)
        if known is None or _is_open_path(scope["method"], scope["path"]):
            return None
        key, caller = known
        counts = self._checker.still_counts(key, is_rechecked=_is_rechecked(scope))
        return caller if counts else None

    def _learn(self, header: bytes, key: ApiKey, caller: Caller) -> None:
        if len(self._shown) >= _MOST_SHOWN:
            self._shown.clear()
        self._shown[header] = key, caller

    async def _caller_of_session(self, scope: dict[str, Any], *, is_change: bool) -> Caller:
        digest, path = session_of(scope), scope["path"]
        if digest is None:
            if path in _PAGES and "text/html" in (noted_header(scope, b"accept") or ""):
                raise falcon.HTTPSeeOther(f"{_LOGIN}?next={quote(path, safe='')}")
            raise unauthenticated("Send an API key as `Authorization: Bearer …`.")
        if is_change and not proves_origin(scope):
            raise _from_another_site()
        found = await self._store.run(access_commands.find_session(digest))
        if found is None:
            raise unauthenticated("This session has ended; log in again.")
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

    def _refuse_other_sites(self, scope: dict[str, Any], authorization: str | None) -> None:
        if not comes_from_elsewhere(scope, self._public_origin):
            return
        if self._is_open and is_navigation(scope) and self._origins.take_links(scope["path"]):
            return
        origin: bytes | None = scope[HEADERS].get(b"origin")
        if origin is None or not self._origins.allow_without_key(origin, scope["path"]):
            raise _from_another_site()
        if not self._is_open:
            raise unauthenticated(
                "A page of another origin needs an API key, as `Authorization: Bearer …`."
            )
        if authorization is not None and not _is_bearer(authorization):
            raise _from_another_site()


def _is_open_path(method: str, path: str) -> bool:
    """Whether the path may be open; `process_resource` then checks the scope of its operation."""
    return (method, path) in OPEN_PATHS or (method == "GET" and path.startswith(OPEN_PREFIXES))


def _is_rechecked(scope: dict[str, Any]) -> bool:
    """Whether the script that accepts the call checks the key again."""
    path: str = scope["path"]
    return (scope["method"] == "POST" and path.startswith(_INVOKING)) or path.startswith(_RAW)


def _is_bearer(authorization: str | None) -> bool:
    return authorization is not None and authorization[:7].lower() == "bearer "


def _from_another_site() -> ProblemError:
    return ProblemError(
        "cross_site_refused",
        "Cross-site request refused: Origin or Sec-Fetch-Site is missing or names another site.",
    )


def _unknown_method(req: Request) -> ProblemError:
    allowed = ", ".join(allowed_methods(req.uri_template or ""))
    return ProblemError(
        "method_not_allowed", f"{req.path} supports {allowed}.", headers={"Allow": allowed}
    )
