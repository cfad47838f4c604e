"""In which form a caller gets a problem: JSON of RFC 9457, or text on the paths of OpenFaaS.

The path's prefix decides, not the resource, so that a request that reaches no resource (no key, a
body over the limit) is answered in the same form.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gateway.problems import MEDIA_TYPE, ProblemError, openfaas_status_of

INTERNAL = "X-OpenFaaS-Internal"  # marks answers that are not the function's own
OPENFAAS_PREFIXES = ("/function/", "/async-function/", "/system/", "/healthz")
_TEXT = "text/plain; charset=utf-8"
_JSON_TYPES = frozenset({MEDIA_TYPE, "application/json"})


class RenderedProblem(NamedTuple):
    """A problem as it is sent."""

    status: int
    body: bytes
    media_type: str
    is_openfaas: bool = False


def render_problem(problem: ProblemError, path: str, accept: str | None) -> RenderedProblem:
    """Return the response to a request.

    Args:
        problem: What went wrong.
        path: The path of the request.
        accept: Its `Accept` header. Only a JSON type that it names gets JSON on the paths of
            OpenFaaS: every client of OpenFaaS reads text, and most of them accept anything.
    """
    if not path.startswith(OPENFAAS_PREFIXES):
        return RenderedProblem(problem.status, problem.encode(path), MEDIA_TYPE)
    status = openfaas_status_of(problem.code)
    if _names_json(accept or ""):
        body = problem.encode(path, status=status)
        return RenderedProblem(status, body, MEDIA_TYPE, is_openfaas=True)
    line = " ".join(problem.detail.splitlines())
    body = f"{line}\n".encode(errors="replace")
    return RenderedProblem(status, body, _TEXT, is_openfaas=True)


def _names_json(accept: str) -> bool:
    for given in accept.lower().split(","):
        media_type, *parameters = (part.strip() for part in given.split(";"))
        if media_type in _JSON_TYPES and not any(_is_zero(part) for part in parameters):
            return True
    return False


def _is_zero(parameter: str) -> bool:
    """Whether a parameter is a weight of zero, which means "not this type" (RFC 9110, 12.4.2)."""
    return re.fullmatch(r"q=0(\.0{0,3})?", parameter) is not None
