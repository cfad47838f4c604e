"""An API key as it is kept: who holds it, what it may, how fast, and until when.

The name is the caller's identity: keys of one name, of which there are two while one is
replaced, share their pace, what they have called, and the secrets their callbacks are
signed with. A key never changes; it is made, used, and revoked or outlived.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field

from runtime.access.grants import Grant, read_grant
from runtime.access.key_text import digest_of_key
from runtime.sdk.option_parsing import parse_rate
from runtime.sdk.options import Rate
from runtime.store.access_calls import StoredKey

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
NAME_RULE = "lower-case letters, digits, and . _ - but not first, at most 64 characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One key.

    Attributes:
        digest: What is kept of its text.
        rate: How fast its name may call; None is as fast as anybody.
        expires_at_ms: From when on it is no longer valid, by Redis's clock; None is never.
        used_at_ms: When it was last used, within some seconds; None is never.
    """

    id: str
    name: str
    digest: str = field(repr=False)
    grant: Grant
    rate: Rate | None = None
    rate_text: str = ""
    created_at_ms: int = 0
    expires_at_ms: int | None = None
    used_at_ms: int | None = None

    def is_opened_by(self, text: str) -> bool:
        """Whether this is the key of that text, in a time that tells nothing of the secret."""
        return hmac.compare_digest(self.digest, digest_of_key(text))

    def has_expired(self, now_ms: int) -> bool:
        """Whether its time is over."""
        return self.expires_at_ms is not None and now_ms >= self.expires_at_ms


def read_key(stored: StoredKey) -> ApiKey:
    """Return a key from what is stored; scopes that this version does not know allow nothing."""
    known: list[str] = []
    for scope in stored.scopes:
        try:
            known += read_grant([scope]).scopes
        except ValueError:
            continue
    return ApiKey(
        id=stored.id,
        name=stored.name,
        digest=stored.digest,
        grant=read_grant(known),
        rate=parse_rate(stored.rate) if stored.rate else None,
        rate_text=stored.rate,
        created_at_ms=stored.created_at_ms,
        expires_at_ms=stored.expires_at_ms or None,
        used_at_ms=stored.used_at_ms or None,
    )


def check_name(text: str) -> str:
    """Return a name that a caller can have.

    Raises:
        ValueError: It is none; the text says what is.
    """
    if _NAME.fullmatch(text) is None:
        raise ValueError(f"takes a name: {NAME_RULE}")
    return text
