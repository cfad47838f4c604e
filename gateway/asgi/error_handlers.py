"""Turns every exception of a resource, the runtime or Falcon into a problem response.

`gateway.app` installs the handlers. The most general one catches everything, logs it and shows
the caller nothing of the gateway's internals.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import falcon.asgi
import structlog
from falcon.asgi import Request, Response

from gateway.asgi.problem_rendering import INTERNAL, render_problem
from gateway.problems import KINDS, ProblemError
from runtime.errors import ArgumentsError, PenstockError, StoreError

_log = structlog.get_logger(__name__)
_SERVER_ERRORS = 500
_FALCON_CODES = {
    400: "malformed_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}


class FailureLog:
    """Logs failed requests, at most one line per code in `every_s` seconds.

    While Redis is down every request fails, and a line for each would flood the log.
    """

    def __init__(
        self, *, every_s: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._every_s = every_s
        self._clock = clock
        self._reported_at: dict[str, float] = {}
        self._unreported: dict[str, int] = {}

    def log(self, code: str, path: str, reason: str) -> None:
        """Log the failure, or count it for the next line."""
        now = self._clock()
        if now - self._reported_at.get(code, -self._every_s) < self._every_s:
            self._unreported[code] = self._unreported.get(code, 0) + 1
            return
        self._reported_at[code] = now
        more = self._unreported.pop(code, 0)
        _log.error("request_failed", code=code, path=path, reason=reason, more_before=more)


_failures = FailureLog()


def install_error_handlers(app: falcon.asgi.App[Request, Response]) -> None:
    """Make every exception of the application a problem response."""
    app.add_error_handler(Exception, _on_anything)
    app.add_error_handler(falcon.HTTPError, _on_falcon)
    app.add_error_handler(PenstockError, _on_penstock)
    app.add_error_handler(ProblemError, _on_problem)


def write_problem(req: Request, resp: Response, problem: ProblemError) -> None:
    """Write a problem to the response."""
    rendered = render_problem(problem, req.path, req.get_header("Accept"))
    resp.status = rendered.status
    resp.content_type = rendered.media_type
    resp.set_header("Cache-Control", "no-store")
    resp.text = None
    resp.data = rendered.body
    if rendered.is_openfaas:
        resp.set_header(INTERNAL, "gateway")
    for name, value in problem.headers.items():
        resp.set_header(name, value)


def problem_of(error: PenstockError) -> ProblemError:
    """Return the problem for an error of the runtime."""
    if isinstance(error, ArgumentsError):
        return ProblemError(error.code, str(error), errors=error.faults)
    if isinstance(error, StoreError) and error.code not in KINDS:
        return ProblemError("store_unavailable", "Redis answered with an error; see the log.")
    if error.code not in KINDS:
        return ProblemError("internal_error", "The gateway's log has the error.")
    return ProblemError(error.code, str(error))


async def _on_problem(
    req: Request,
    resp: Response,
    error: ProblemError,
    params: dict[str, Any],  # noqa: ARG001 - Falcon's signature
) -> None:
    write_problem(req, resp, error)


async def _on_penstock(
    req: Request,
    resp: Response,
    error: PenstockError,
    params: dict[str, Any],  # noqa: ARG001 - Falcon's signature
) -> None:
    problem = problem_of(error)
    if problem.status >= _SERVER_ERRORS:
        _failures.log(problem.code, req.path, str(error))
    write_problem(req, resp, problem)


async def _on_falcon(
    req: Request,
    resp: Response,
    error: falcon.HTTPError,
    params: dict[str, Any],  # noqa: ARG001 - Falcon's signature
) -> None:
    code = _FALCON_CODES.get(error.status_code)
    if code is None:
        code = "malformed_request" if error.status_code < _SERVER_ERRORS else "internal_error"
    detail = error.description or KINDS[code].meaning
    write_problem(req, resp, ProblemError(code, detail, headers=dict(error.headers or {})))


async def _on_anything(
    req: Request,
    resp: Response,
    error: Exception,
    params: dict[str, Any],  # noqa: ARG001 - Falcon's signature
) -> None:
    _log.error("request_crashed", path=req.path, method=req.method, exc_info=error)
    write_problem(req, resp, ProblemError("internal_error", "The gateway's log has the error."))
