"""What a call of production shows besides its arguments, as headers and query.

The same for every system; a peer does with each what its users would do (see the peers' `web`).
`NUMBER` stands for a number that is another one in each request.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Literal

from gateway.cli.load.plan import NUMBER

Shown = Literal["key", "trace", "idempotency", "callback", "options", "charset", "browser"]

EVERYTHING: frozenset[Shown] = frozenset({"key", "trace", "idempotency", "callback", "options"})
TITLES: dict[str, frozenset[Shown]] = {
    "keyed": frozenset({"key"}),
    "traced": frozenset({"key", "trace"}),
    "idempotent": frozenset({"key", "idempotency"}),
    "with-options": frozenset({"key", "options"}),
    "with-charset": frozenset({"charset"}),
    "with-20-headers": frozenset({"browser"}),
    "with-callback": frozenset({"key", "callback"}),
    "all-of-it": EVERYTHING,
}
PEERS_SHOW = [TITLES[n] for n in ("keyed", "traced", "idempotent", "with-callback", "all-of-it")]
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_NOBODY = "http://localhost:9/hook"  # the discard port: nothing runs while this is measured
_BROWSER = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
    "Cache-Control": "no-cache",
    "Connection": "keep-alive",
    "Cookie": "theme=dark; seen=2026-11-29",
    "DNT": "1",
    "Pragma": "no-cache",
    "Priority": "u=1, i",
    "Referer": "http://127.0.0.1/docs",
    "Sec-CH-UA": '"Chromium";v="150", "Not.A/Brand";v="8"',
    "Sec-CH-UA-Mobile": "?0",
    "Sec-CH-UA-Platform": '"Linux"',
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "same-origin",
    "Sec-GPC": "1",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0.0.0",
    "X-Forwarded-For": "192.0.2.7",
    "X-Request-Id": "7f3c1f0e-7a44-4c1f-9a52-6d1f3c0d2a11",
}


def headers_of(shown: Set[Shown], key: str) -> dict[str, str]:
    """Return the headers of a call; the content type is among them."""
    headers = {"Content-Type": "application/json"}
    if "charset" in shown:
        headers["Content-Type"] += "; charset=utf-8"
    if "key" in shown:
        headers["Authorization"] = f"Bearer {key}"
    if "trace" in shown:
        headers["traceparent"] = _TRACE
    if "idempotency" in shown:
        headers["Idempotency-Key"] = f"order-{NUMBER}"
    if "callback" in shown:
        headers["X-Callback-Url"] = _NOBODY
    if "browser" in shown:
        headers |= _BROWSER
    return headers


def query_of(shown: Set[Shown]) -> str:
    """Return the query of a call, with its question mark."""
    return "?priority=7" if "options" in shown else ""
