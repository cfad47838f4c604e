"""From the text of a key to the key, or to the problem with it; used at the door and at login.

What is told does not depend on whether a key of that id exists: only whoever has the
right secret hears that his key has expired.
"""

from __future__ import annotations

import base64
import binascii
import math

from gateway.key_failures import KeyFailures
from gateway.key_ring import KeyRing
from gateway.problems import ProblemError
from runtime.access.api_key import KEY_PREFIX, ApiKey, parse_key_text, presumed_id

CHALLENGE = {"WWW-Authenticate": "Bearer"}
_LONGEST = 512


class KeyChecker:
    """Checks keys, and counts those that are wrong by the address they come from."""

    def __init__(self, ring: KeyRing, failures: KeyFailures) -> None:
        self._ring = ring
        self._failures = failures

    async def check(self, shown: str, address: str, *, is_judged_again: bool = False) -> ApiKey:
        """Return the key of a text.

        Raises:
            ProblemError: `unauthenticated`, or `too_many_failures`.
            StoreError: Redis has to be asked, and is away.
        """
        known = self._ring.recall(presumed_id(shown), is_judged_again=is_judged_again)
        if known is not None and known.is_opened_by(shown) and not self._is_over(known):
            self._ring.note_use(known.id)
            return known
        text = parse_key_text(shown) if len(shown) <= _LONGEST else None
        if text is None:
            raise self._refuse(address, "This is no API key, or a character of it is wrong.")
        is_stranger = not self._ring.knows_of(text.id)
        if is_stranger and self._failures.wait_s(address) and not self._failures.take_chance():
            raise self._refuse(address, "")
        key = await self._ring.find(text.id, is_judged_again=is_judged_again)
        if key is None or not key.is_opened_by(shown):
            raise self._refuse(address, "This API key is not known.")
        if self._is_over(key):
            raise self._refuse(address, "This API key has expired.")
        self._ring.note_use(key.id)
        return key

    def note_time(self, now_ms: int) -> None:
        """Hear the time by Redis's clock."""
        self._ring.note_time(now_ms)

    def _is_over(self, key: ApiKey) -> bool:
        return key.expires_at_ms is not None and key.has_expired(self._ring.now_ms())

    def _refuse(self, address: str, detail: str) -> ProblemError:
        wait_s = math.ceil(self._failures.wait_s(address))
        self._failures.note(address)
        if wait_s:
            return ProblemError(
                "too_many_failures",
                f"Too many wrong keys came from this address; come again in {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )
        return unauthenticated(detail)


def unauthenticated(detail: str) -> ProblemError:
    """Return the problem of a caller without a valid key."""
    return ProblemError("unauthenticated", detail, headers=CHALLENGE)


def shown_key(authorization: str) -> str | None:
    """Return the key in an Authorization header: as Bearer, or as the password of Basic.

    Basic is for senders of webhooks, which often can be given no more than an address
    with a password in it. A password that does not look like a key is none.
    """
    scheme, _, rest = authorization.partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer":
        return rest
    if scheme.lower() == "basic":
        try:
            user_and_password = base64.b64decode(rest, validate=True).decode()
        except (binascii.Error, ValueError):
            return None
        password = user_and_password.partition(":")[2]
        return password if password.startswith(KEY_PREFIX) else None
    return None
