"""Origins of web pages, as `@function(cors=…)` and `PENSTOCK_CORS_ORIGINS` list them.

An origin is what a browser sends in the header Origin: `https://app.example`, with a port unless
it is the default of the scheme. The gateway compares texts, so an origin is stored as browsers
write it. `*` stands for any origin.
"""

from __future__ import annotations

import re

ANY_ORIGIN = "*"
_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://"
    r"(?P<host>\[[0-9a-f:.]*:[0-9a-f:.]*\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)"
    r"(?::(?P<port>[0-9]{1,5}))?",
    re.ASCII,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HIGHEST_PORT = 65_535
_TAKES = (
    "takes origins such as 'https://app.example' or 'http://localhost:5173' (scheme, host and "
    "port, without a path), or '*' alone for any origin"
)


def parse_origins(value: object) -> tuple[str, ...]:
    """Return the origins as browsers write them, each once.

    Args:
        value: One origin, or a list, tuple or set of them.

    Raises:
        ValueError: Something is not an origin; the message names it and says what is allowed.
    """
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple | set | frozenset):
        raise ValueError(_TAKES)  # noqa: TRY004 - the parsers of options raise ValueError
    # A set has no order, and a manifest must not differ from one load to the next.
    listed = sorted(parts, key=str) if isinstance(parts, set | frozenset) else parts
    origins = tuple(dict.fromkeys(_parse_origin(part) for part in listed))
    if ANY_ORIGIN in origins and len(origins) > 1:
        raise ValueError(f"{_TAKES}; '*' includes the others")
    return origins


def _parse_origin(value: object) -> str:
    if value == ANY_ORIGIN:
        return ANY_ORIGIN
    match = _ORIGIN.fullmatch(value.lower()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{_TAKES}; not {value!r}")
    port = None if match["port"] is None else int(match["port"])
    if port is not None and not 0 < port <= _HIGHEST_PORT:
        raise ValueError(f"{_TAKES}; {value!r} has no valid port")
    start = f"{match['scheme']}://{match['host']}"
    is_default = port is None or port == _DEFAULT_PORTS.get(match["scheme"])
    return start if is_default else f"{start}:{port}"
