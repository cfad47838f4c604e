"""Check string formats of JSON Schema with the pydantic types that publish them.

So the gateway and the runner agree on what a date or an address is. Formats that depend on a
machine's files, such as file paths, are checked by the runner alone.
"""

from __future__ import annotations

import base64
import binascii
import importlib.util
from collections.abc import Callable

BASE64_FORMAT = "penstock-base64"
LEAST_BYTES, MOST_BYTES = "x-penstock-least-bytes", "x-penstock-most-bytes"
_NAMES = [
    *("date-time", "date", "time", "duration", "decimal", "uri", "json-string", "regex"),
    *("uuid", "uuid1", "uuid3", "uuid4", "uuid5", "base64", "base64url"),
    *("ipv4", "ipv6", "ipvanyaddress", "ipv4network", "ipv6network", "ipvanynetwork"),
    *("ipv4interface", "ipv6interface", "ipvanyinterface"),
]
if importlib.util.find_spec("email_validator") is not None:
    _NAMES += ["email", "name-email"]


def is_base64(text: str) -> bool:
    """Whether a text is standard base64: its alphabet and padding, without white space."""
    try:
        base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return False
    return True


def _decide(name: str) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        from runtime.registry.format_types import check_of  # noqa: PLC0415 - loads pydantic

        return check_of(name)(text)

    return check


FORMATS: dict[str, Callable[[str], bool]] = {
    **{name: _decide(name) for name in _NAMES},
    BASE64_FORMAT: is_base64,
}
