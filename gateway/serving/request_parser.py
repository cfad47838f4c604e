"""From bytes to requests: httptools, with limits on the size of a head.

Each connection owns a parser, which calls it for each head, each piece of a body and each end of
a body. An invalid request sets `refusal`, and nothing after it is passed on.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

import httptools
from httptools.parser.url_parser import URL

from gateway.serving.allowed_hosts import AllowedHosts, explain
from gateway.serving.limits import ConnectionLimits

Scope = dict[str, Any]
HEADERS = "penstock.headers"  # in the scope: what `headers_by_name` returns
BODY = "penstock.body"  # in the scope: the whole body; the application adds one that came later
_VERSIONS = frozenset({"1.0", "1.1"})
_UPGRADE_HEADERS = frozenset({b"upgrade", b"connection", b"http2-settings"})


class Refusal(NamedTuple):
    """A problem's code, detail and instance: the requested path, or / if it is not complete.

    `origin` is the header Origin of the request, if it has come.
    """

    code: str
    detail: str
    instance: str = "/"
    origin: bytes | None = None


class Owner(Protocol):
    """What the parser calls on its connection."""

    def on_head(self, scope: Scope, *, keep_alive: bool, expects_continue: bool) -> None:
        """Take a request whose head is complete."""

    def on_piece(self, data: bytes) -> None:
        """Take a piece of its body."""

    def on_end(self) -> None:
        """Mark its body as complete."""


class RequestParser:
    """Reads the requests of one connection.

    Args:
        owner: The connection.
        limits: The size of a head.
        hosts: The host names that a request may be for; None allows any.

    Attributes:
        started: Whether a request has begun and is not complete.
        seen_bytes: How many bytes of an incomplete head have come; else 0.
        refusal: Why nothing more from this client is passed on; None while parsing goes on.
    """

    def __init__(
        self, owner: Owner, limits: ConnectionLimits, hosts: AllowedHosts | None = None
    ) -> None:
        self.started = False
        self.seen_bytes = 0
        self.refusal: Refusal | None = None
        self._has_head = False
        self._head_bytes = 0
        self._owner = owner
        self._limits = limits
        self._expected = hosts
        self._http = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._hosts: list[bytes] = []
        self._coding = b""
        self._expects_continue = False
        self._offers_upgrade = False

    def feed(self, data: bytes) -> None:
        """Parse received bytes; the caller checks `refusal` afterwards."""
        if not self._has_head:
            self.seen_bytes += len(data)
        try:
            self._http.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._read_on_without_upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            self.refuse("malformed_request", f"The request is not valid HTTP/1.1: {error}.")
        if self.seen_bytes > self._limits.header_bytes:
            self._refuse_long_head()

    @property
    def is_between(self) -> bool:
        """Whether all received bytes are parsed and the next byte begins a request."""
        return not (self.started or self.seen_bytes) and self.refusal is None

    def refuse(self, code: str, detail: str) -> None:
        """Pass on nothing more from this client; only the first reason counts."""
        if self.refusal is None:
            origin = dict(self._headers).get(b"origin")
            self.refusal = Refusal(code, detail, self._instance(), origin)

    def time_out(self) -> None:
        """Refuse a client that did not send the rest of a request in time."""
        what, seconds = "headers", self._limits.header_timeout_s
        if self._has_head:
            what, seconds = "body", self._limits.body_timeout_s
        self.refuse("request_timeout", f"The complete {what} did not arrive within {seconds:g} s.")

    def on_message_begin(self) -> None:
        """Begin a request (httptools callback)."""
        self.started = True
        self._head_bytes = 0
        self._target = b""
        self._headers = []
        self._hosts = []
        self._coding = b""
        self._expects_continue = False
        self._offers_upgrade = False

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target (httptools callback)."""
        self._target += url
        if len(self._target) > self._limits.target_bytes:
            detail = f"The path and query may have at most {self._limits.target_bytes} bytes."
            self.refuse("target_too_long", detail)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header (httptools callback)."""
        self._head_bytes += len(name) + len(value)
        if self._has_head:  # a trailer: dropped, because it must not be taken for a header
            if self._head_bytes > self._limits.header_bytes:
                self._refuse_long_head()
            return
        name = name.lower()
        if name == b"host":
            self._hosts.append(value)
        elif name == b"expect":
            self._expects_continue = value.lower() == b"100-continue"
        elif name == b"transfer-encoding":
            self._coding = value.lower()
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Pass the head on if it is within the limits (httptools callback)."""
        if self._http.should_upgrade():
            self._offers_upgrade = True
            return
        self._has_head = True
        limits = self._limits
        if self._head_bytes > limits.header_bytes:
            self._refuse_long_head()
        elif len(self._headers) > limits.header_count:
            detail = f"A request may have at most {limits.header_count} headers."
            self.refuse("headers_too_large", detail)
        self.seen_bytes = 0
        if self.refusal is None and (scope := self._scope()) is not None:
            self._owner.on_head(
                scope,
                keep_alive=self._http.should_keep_alive(),
                expects_continue=self._expects_continue,
            )

    def on_body(self, body: bytes) -> None:
        """Pass a piece of the body on (httptools callback)."""
        if self.refusal is None:
            self._owner.on_piece(body)

    def on_message_complete(self) -> None:
        """End a request (httptools callback)."""
        if self._offers_upgrade:
            return
        self.started = False
        self._has_head = False
        self._headers = []
        if self.refusal is None:
            self._owner.on_end()

    def _refuse_long_head(self) -> None:
        detail = f"The headers may have at most {self._limits.header_bytes} bytes in total."
        self.refuse("headers_too_large", detail)

    def _read_on_without_upgrade(self, rest: bytes) -> None:
        """Parse a request that offers an upgrade once more, without the offer.

        httptools skips the body of such a request, and browsers and Java offer h2c on ordinary
        ones. `rest` is what follows its head.
        """
        method = self._http.get_method()
        if method == b"CONNECT":
            self.refuse("malformed_request", "This server is not a proxy: it refuses CONNECT.")
            return
        version = self._http.get_http_version().encode()
        self._http = httptools.HttpRequestParser(self)
        head = [b"%b %b HTTP/%b\r\n" % (method, self._target, version)]
        head += [
            b"%b: %b\r\n" % header for header in self._headers if header[0] not in _UPGRADE_HEADERS
        ]
        self.feed(b"%b\r\n%b" % (b"".join(head), rest))

    def _scope(self) -> Scope | None:
        version = self._http.get_http_version()
        if version not in _VERSIONS:
            self.refuse("malformed_request", "Only HTTP/1.0 and HTTP/1.1 are supported.")
            return None
        if len(self._hosts) != 1 and (self._hosts or version != "1.0"):
            self.refuse("malformed_request", "A request must have exactly one Host header.")
            return None
        if self._coding and (self._coding != b"chunked" or version == "1.0"):
            self.refuse(
                "malformed_request", "The only transfer coding is `chunked`, with HTTP/1.1 only."
            )
            return None
        url = self._url()
        if url is None:
            self.refuse("malformed_request", "The request target must have a path, in ASCII.")
            return None
        if self._expected is not None and not self._is_for(self._expected, url):
            return None
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": version,
            "root_path": "",
            "method": self._http.get_method().decode("ascii"),
            "path": _path_of(url),
            "raw_path": url.path,
            "query_string": url.query or b"",
            "headers": self._headers,
            HEADERS: headers_by_name(self._headers),
        }

    def _is_for(self, expected: AllowedHosts, url: URL) -> bool:
        """Whether a request is for this gateway, by its Host and its target if that is absolute.

        HTTP/1.0 allows a request without a Host; it is refused, as its host is unknown.
        """
        authorities: list[bytes | None] = [self._hosts[0] if self._hosts else None]
        if url.host is not None:
            authorities.append(b"[%b]" % url.host if b":" in url.host else url.host)
        for authority in authorities:
            if authority is None or not expected.accept(authority):
                self.refuse("misdirected_request", explain(authority))
                return False
        return True

    def _url(self) -> URL | None:
        """Return the parts of the target; None if it has no path or is not ASCII."""
        try:
            url = httptools.parse_url(self._target)
        except httptools.HttpParserError:
            return None
        return url if url.path and self._target.isascii() else None

    def _instance(self) -> str:
        """Return the requested path; / before the first header, as the target may be incomplete."""
        is_whole = self._has_head or self._headers
        url = self._url() if is_whole else None
        return "/" if url is None else _path_of(url)


def _path_of(url: URL) -> str:
    path: str = url.path.decode("ascii")
    return one_slash(unquote(path) if "%" in path else path)


def one_slash(path: str) -> str:
    """Return a path that begins with one slash.

    The router ignores further ones, so every rule that reads the path's prefix must not see them.
    """
    return "/" + path.lstrip("/") if path.startswith("//") else path


def headers_by_name(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return headers by name; the values of a repeated header are joined by commas."""
    by_name = dict(headers)
    if len(by_name) != len(headers):
        by_name.clear()
        for name, value in headers:
            by_name[name] = b"%b,%b" % (by_name[name], value) if name in by_name else value
    return by_name
