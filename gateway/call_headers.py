"""What a call may ask for by headers, as one table: a new header is one more line here.

`Prefer` and the credentials are read where they decide (`gateway.preferences`,
`gateway.authentication`); of the query see `gateway.wishes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.application import single_header
from gateway.idempotency import HEADER, read_idempotency_key
from gateway.serving.parsing import HEADERS
from gateway.tracing import trace_of
from runtime.errors import CallbackAddressError

Scope = Mapping[str, Any]


class CallHeader(NamedTuple):
    """One header.

    Attributes:
        name: In lower case.
        option: What it sets: a member of `Wishes`, or `idempotency_key`.
        read: From the request's scope to the value; raises ProblemError where it is wrong.
    """

    name: bytes
    option: str
    read: Callable[[Scope], object]


def _callback(scope: Scope) -> object:
    url = single_header(scope, "X-Callback-Url")
    if url is None or url.isascii():
        return url and url.strip()
    try:  # addresses are in UTF-8, if they are not ASCII
        return url.encode("latin-1").decode().strip()
    except UnicodeDecodeError as error:
        raise CallbackAddressError("the callback address is neither ASCII nor UTF-8") from error


def _idempotency_key(scope: Scope) -> object:
    return read_idempotency_key(single_header(scope, HEADER))


CALL_HEADERS: tuple[CallHeader, ...] = (
    CallHeader(b"traceparent", "trace", trace_of),
    CallHeader(b"idempotency-key", "idempotency_key", _idempotency_key),
    CallHeader(b"x-callback-url", "callback", _callback),
)


def read_call_headers(scope: Scope, asked: dict[str, Any]) -> None:
    """Add what a request's headers ask for, by option; what is not asked for is not there.

    Raises:
        ProblemError: `parameter_invalid`: one is wrong, or given more than once.
    """
    headers: Mapping[bytes, bytes] = scope[HEADERS]
    for name, option, read in CALL_HEADERS:
        if name in headers:
            value = read(scope)
            if value is not None:
                asked[option] = value
