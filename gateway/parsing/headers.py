"""Headers of a request, out of what the request parser has noted in its ASGI scope."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from gateway.parsing.preferences import fault_of, refuse_parameters
from gateway.serving.request_parser import HEADERS


def noted_header(scope: Mapping[str, Any], name: bytes) -> str | None:
    """Return a header, several of a name joined by commas."""
    value: bytes | None = scope[HEADERS].get(name)
    return None if value is None else value.decode("latin-1")


@cache
def _noted_name(name: str) -> bytes:
    return name.lower().encode()


def single_header(scope: Mapping[str, Any], name: str) -> str | None:
    """Return a header, of which there may be no second.

    Raises:
        ProblemError: `parameter_invalid`: it was given more than once.
    """
    noted = _noted_name(name)
    value: bytes | None = scope[HEADERS].get(noted)
    if value is None:
        return None
    # Several of a name are joined by commas; few values have one, so few are counted.
    if b"," in value and sum(given == noted for given, _ in scope["headers"]) > 1:
        refuse_parameters([fault_of(name, "given more than once")])
    return value.decode("latin-1")
