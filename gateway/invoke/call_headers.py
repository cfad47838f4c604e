"""The headers of a call, as one table: a new header is one more line in `CALL_HEADERS`.

The options in the query and in these headers are read once for all calls that have the same, except
for headers that differ in nearly every call (`varies`). Other modules read `Prefer`
(`gateway.parsing.preferences`), credentials (`gateway.auth.middleware`) and the query
(`gateway.parsing.call_options`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.invoke.accept_spans import trace_of
from gateway.invoke.call_plan import PackedParts
from gateway.parsing.call_options import parse_call_options
from gateway.parsing.headers import single_header
from gateway.parsing.idempotency import HEADER, options_content, read_idempotency_key
from gateway.serving.request_parser import HEADERS, Scope
from runtime.errors import CallbackAddressError
from runtime.invocations.submission import DEFAULT_OPTIONS, CallOptions

_MOST_KNOWN = 1024


class CallHeader(NamedTuple):
    """One header.

    Attributes:
        name: Its name in lower case.
        option: The field it sets: of `CallOptions` or, if it varies, of `Submission`. For
            `idempotency` it is only the key; the resource adds the digest of the request.
        read: Returns the value from the request's scope; raises ProblemError if it is invalid.
        varies: Whether nearly every call has a different value.
    """

    name: bytes
    option: str
    read: Callable[[Scope], object]
    varies: bool = False


class SharedOptions(NamedTuple):
    """The options that many calls have in common.

    Attributes:
        call_options: The options.
        parts: The options, encoded for the script that submits calls.
        content: The options as bytes, for the digest that identifies an idempotent request.
    """

    call_options: CallOptions
    parts: PackedParts
    content: bytes

    @classmethod
    def of(cls, call_options: CallOptions) -> SharedOptions:
        """Encode the options."""
        return cls(
            call_options, PackedParts.of(call_options.parts()), options_content(call_options)
        )


class CallHeaders:
    """A table of headers, with a cache of the options that were read."""

    def __init__(self, *headers: CallHeader) -> None:
        self.headers = headers
        self._settled = tuple(header for header in headers if not header.varies)
        self._varying = tuple(header for header in headers if header.varies)
        self._names = tuple(header.name for header in self._settled)
        self._known: dict[tuple[str | bytes | None, ...], SharedOptions] = {}

    def settled(self, scope: Scope, query: str) -> SharedOptions:
        """See `read_settled`."""
        given = (query, *map(scope[HEADERS].get, self._names))
        asked = self._known.get(given)
        if asked is None:
            asked = self._read(scope, query)
            # A value with a comma may come from a repeated header, which is refused, or from one
            # valid header. The two look the same here, so neither is cached.
            if not any(value and b"," in value for value in given[1:]):
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[given] = asked
        return asked

    def varying(self, scope: Scope) -> dict[str, Any]:
        """See `read_varying`."""
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
    try:  # an address that is not ASCII is in UTF-8
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
    """Return the options that many calls have in common, from the query and headers.

    Raises:
        ProblemError: `parameter_invalid`: a value is invalid or given more than once.
    """
    return CALL_HEADERS.settled(scope, query)


def read_varying(scope: Scope) -> dict[str, Any]:
    """Return the values of the headers that differ from call to call, by option, if present.

    Raises:
        ProblemError: `parameter_invalid`: a value is invalid or given more than once.
    """
    return CALL_HEADERS.varying(scope)
