"""How long and how large the HTTP of one connection may be."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a connection may ask of us before it is closed.

    Attributes:
        header_timeout_s: From a request's first byte (or the connection's start) to the
            end of its headers.
        body_timeout_s: From the end of the headers to the end of the body; also how long
            a client may take to read the last answer before it is cut off.
        idle_timeout_s: Between two requests.
        linger_s: How long what a refused client still sends is read and dropped, so that
            it sees the answer instead of a reset.
    """

    header_timeout_s: float = 10.0
    body_timeout_s: float = 30.0
    idle_timeout_s: float = 75.0
    linger_s: float = 2.0
    header_bytes: int = 32 * KIB
    header_count: int = 100
    target_bytes: int = 8 * KIB
    unread_body_bytes: int = 64 * KIB
