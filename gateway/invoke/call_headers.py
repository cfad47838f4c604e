"""What a call may ask for by headers, as one table: a new header is one more line here.

What a call asks for in all, by its query and these headers, is read once for all calls that ask for
the same; but for headers that are others in each call. `Prefer` and the credentials are read where
they decide (`gateway.parsing.preferences`, `gateway.auth.middleware`); of the query see
`gateway.parsing.call_options`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.invoke.accept_spans import trace_of
from gateway.invoke.call_plan import PackedParts
from gateway.parsing.call_options import parse_call_options
from gateway.parsing.headers import single_header
from gateway.parsing.idempotency import HEADER, options_content, read_idempotency_key
from gateway.serving.request_parser import HEADERS
from runtime.errors import CallbackAddressError
from runtime.invocations.submission import DEFAULT_OPTIONS, CallOptions

Scope = Mapping[str, Any]
_MOST_KNOWN = 1024


class CallHeader(NamedTuple):
    """One header.

    Attributes:
        name: In lower case.
        option: What it sets: a member of `CallOptions`, or, if it varies, of `Submission`.
        read: From the request's scope to the value; raises ProblemError where it is wrong.
        varies: Whether nearly every call has another value. An idempotency key is `idempotency`
            once the whole request is read.
    """

    name: bytes
    option: str
    read: Callable[[Scope], object]
    varies: bool = False


class SharedOptions(NamedTuple):
    """What many calls ask for alike.

    Attributes:
        wishes: As members of `CallOptions`.
        parts: As they go to Redis.
        content: As an idempotency key's request is told apart.
    """

    call_options: CallOptions
    parts: PackedParts
    content: bytes

    @classmethod
    def of(cls, call_options: CallOptions) -> SharedOptions:
        """Work it out."""
        return cls(
            call_options, PackedParts.of(call_options.parts()), options_content(call_options)
        )


class CallHeaders:
    """A table of headers, and what was read by it lately."""

    def __init__(self, *headers: CallHeader) -> None:
        self.headers = headers
        self._settled = tuple(header for header in headers if not header.varies)
        self._varying = tuple(header for header in headers if header.varies)
        self._names = tuple(header.name for header in self._settled)
        self._known: dict[tuple[str | bytes | None, ...], SharedOptions] = {}

    def settled(self, scope: Scope, query: str) -> SharedOptions:
        """As `read_settled`."""
        given = (query, *map(scope[HEADERS].get, self._names))
        asked = self._known.get(given)
        if asked is None:
            asked = self._read(scope, query)
            # Several headers of a name are joined by commas, and may be wrong where one is not.
            if not any(value and b"," in value for value in given[1:]):
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[given] = asked
        return asked

    def varying(self, scope: Scope) -> dict[str, Any]:
        """As `read_varying`."""
        headers: Mapping[bytes, bytes] = scope[HEADERS]
        asked: dict[str, Any] = {}
        for name, option, read, _ in self._varying:
            if name in headers and (value := read(scope)) is not None:
                asked[option] = value
        return asked

    def _read(self, scope: Scope, query: str) -> SharedOptions:
        call_options = {**parse_call_options(query)}
        for name, option, read, _ in self._settled:
            if name in scope[HEADERS] and (value := read(scope)) is not None:
                call_options[option] = value
        return SharedOptions.of(CallOptions(**call_options) if call_options else DEFAULT_OPTIONS)


def _callback(scope: Scope) -> object:
    url = single_header(scope, "X-Callback-Url")
    if url is None:
        return None
    try:  # addresses are in UTF-8, if they are not ASCII
        return url.encode("latin-1").decode().strip()
    except UnicodeDecodeError as error:
        raise CallbackAddressError("the callback address is neither ASCII nor UTF-8") from error


def _idempotency_key(scope: Scope) -> object:
    return read_idempotency_key(single_header(scope, HEADER))


CALL_HEADERS = CallHeaders(
    CallHeader(b"traceparent", "trace", trace_of, varies=True),
    CallHeader(b"idempotency-key", "idempotency", _idempotency_key, varies=True),
    CallHeader(b"x-callback-url", "callback", _callback),
)


def read_settled(scope: Scope, query: str) -> SharedOptions:
    """Return what many calls ask for alike, by the query and headers.

    Raises:
        ProblemError: `parameter_invalid`: one is wrong, or given more than once.
    """
    return CALL_HEADERS.settled(scope, query)


def read_varying(scope: Scope) -> dict[str, Any]:
    """Return what other headers ask for, by option; what is not asked for is not there.

    Raises:
        ProblemError: `parameter_invalid`: one is wrong, or given more than once.
    """
    return CALL_HEADERS.varying(scope)
