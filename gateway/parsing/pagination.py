"""Pages of a list: `limit`, and the opaque cursor of the next page.

A cursor is valid for one list with one set of filters, for one day. Its checksum detects a cursor
that was made up, cut off or taken from another list. A cursor gives no right to see anything, so
the checksum needs no secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec
from falcon.asgi import Response

from gateway.parsing.preferences import fault_of
from gateway.routing.parameters import LONGEST_PAGE, USUAL_PAGE
from runtime.errors import ArgumentFault

CURSOR_KEPT_S = 86_400
_CHECKSUM_BYTES = 8
_LONGEST_CURSOR = 512
_decode = msgspec.json.Decoder(tuple[int, tuple[str, ...]]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """The page of a list that a request asks for.

    Attributes:
        after: The position after which the page begins; empty for the first page.
    """

    path: str
    filters: Mapping[str, str]
    limit: int
    after: tuple[str, ...]

    @property
    def of(self) -> str:
        """The name of the list that its cursors are bound to."""
        return list_name(self.path, self.filters)

    def point_on(self, resp: Response, position: Sequence[str] | None) -> str | None:
        """Return the cursor of the next page and add a Link header; None on the last page."""
        if position is None:
            return None
        cursor = write_cursor(self.of, position, now_s=time.time())
        query = urlencode({**self.filters, "limit": self.limit, "cursor": cursor})
        resp.append_header("Link", f'<{self.path}?{query}>; rel="next"')
        return cursor


def read_paging(
    path: str,
    query: Mapping[str, str],
    faults: list[ArgumentFault],
    *,
    usual: int = USUAL_PAGE,
    longest: int = LONGEST_PAGE,
) -> Paging:
    """Return the page that a query asks for and append what is wrong to `faults`."""
    limit = query.get("limit", str(usual))
    size = int(limit) if limit.isascii() and limit.isdigit() and len(limit) <= 6 else 0  # noqa: PLR2004
    if not 1 <= size <= longest:
        faults.append(fault_of("?limit", f"takes a whole number from 1 to {longest}"))
    filters = {name: text for name, text in query.items() if name not in ("limit", "cursor")}
    after: tuple[str, ...] | None = ()
    if "cursor" in query:
        after = read_cursor(list_name(path, filters), query["cursor"], now_s=time.time())
        if after is None:
            faults.append(fault_of("?cursor", NOT_OURS))
    return Paging(path=path, filters=filters, limit=size, after=after or ())


NOT_OURS = (
    "takes the `next` of a response with the same filters that is less than a day old; "
    "leave it out to begin again"
)


def list_name(path: str, filters: Mapping[str, str]) -> str:
    """Return the name of a list with its filters, whatever their order."""
    return f"{path}?{urlencode(sorted(filters.items()))}"


def write_cursor(of: str, position: Sequence[str], *, now_s: float) -> str:
    """Return the cursor of a position in the list named `of`."""
    payload = msgspec.json.encode((int(now_s), tuple(position)))
    return base64.urlsafe_b64encode(_checksum(of, payload) + payload).decode().rstrip("=")


def read_cursor(of: str, cursor: str, *, now_s: float) -> tuple[str, ...] | None:
    """Return the position of a cursor; None if it is invalid, too old or of another list."""
    if not cursor or len(cursor) > _LONGEST_CURSOR:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        checksum, payload = raw[:_CHECKSUM_BYTES], raw[_CHECKSUM_BYTES:]
        if checksum != _checksum(of, payload):
            return None
        written_s, position = _decode(payload)
    except (binascii.Error, ValueError):
        return None
    return position if now_s - written_s <= CURSOR_KEPT_S else None


def _checksum(of: str, payload: bytes) -> bytes:
    return hashlib.blake2b(of.encode() + b"\n" + payload, digest_size=_CHECKSUM_BYTES).digest()
