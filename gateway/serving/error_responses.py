"""What the server itself writes: headers of every response, and refusals before any resource."""

from __future__ import annotations

from gateway.problems import KINDS, MEDIA_TYPE, encode_problem, status_of
from gateway.serving.allowed_origins import AllowedOrigins
from gateway.serving.request_cycle import STATUS_LINES
from gateway.serving.request_parser import Refusal


class _OwnHeaders:
    """The headers of every response, joined once a second for all connections."""

    def __init__(self) -> None:
        self._made_of: object = None
        self._lines = b""

    def lines(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """Return the headers as lines; the server makes a new list whenever it renews Date."""
        if self._made_of is not headers:
            self._made_of = headers
            self._lines = b"".join([b"%b: %b\r\n" % header for header in headers])
        return self._lines


_own_headers = _OwnHeaders()
own_lines = _own_headers.lines


def refusal_answer(refusal: Refusal, own: bytes, origins: AllowedOrigins | None = None) -> bytes:
    """Return a whole response that refuses a request and announces the close of the connection.

    Args:
        refusal: Why.
        own: What `own_lines` returned.
        origins: The origins whose pages may read the response.
    """
    body = encode_problem(refusal.code, refusal.detail, instance=refusal.instance)
    later_s = KINDS[refusal.code].retry_after_s
    own += b"retry-after: %d\r\n" % later_s if later_s else b""
    if origins is not None and refusal.origin is not None:
        more = origins.headers(refusal.origin, refusal.instance)
        own += b"".join([b"%b: %b\r\n" % header for header in more])
    return b"%bcontent-type: %b\r\ncontent-length: %d\r\n%bconnection: close\r\n\r\n%b" % (
        STATUS_LINES[status_of(refusal.code)],
        MEDIA_TYPE.encode(),
        len(body),
        own,
        body,
    )
