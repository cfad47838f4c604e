"""Read headers of a request from the ASGI scope, where the request parser has put them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from gateway.parsing.preferences import fault_of, refuse_parameters
from gateway.serving.request_parser import HEADERS


def noted_header(scope: Mapping[str, Any], name: bytes) -> str | None:
    """Return the value of a header, with repeated headers joined by commas."""
    value: bytes | None = scope[HEADERS].get(name)
    return None if value is None else value.decode("latin-1")


@cache
def _noted_name(name: str) -> bytes:
    return name.lower().encode()


def single_header(scope: Mapping[str, Any], name: str) -> str | None:
    """Return the value of a header that may be given only once.

    Raises:
        ProblemError: `parameter_invalid`, if it was given more than once.
    """
    noted = _noted_name(name)
    value: bytes | None = scope[HEADERS].get(noted)
    if value is None:
        return None
    # Repeated headers are joined by commas. Few values have a comma, so counting is rare.
    if b"," in value and sum(given == noted for given, _ in scope["headers"]) > 1:
        refuse_parameters([fault_of(name, "was given more than once")])
    return value.decode("latin-1")
