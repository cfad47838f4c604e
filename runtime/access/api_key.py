"""An API key: its text, and what is stored: name, scopes, rate limit and expiry.

The text of a key is `pk_<id>_<secret><checksum>`, that of a session `ps_<secret>`. The prefix and
the fixed length let scanners find a key that was committed to a repository (`KEY_PATTERN`). The
checksum detects a mistyped key without a look-up. The secret is 43 random letters and digits, over
256 bits. That cannot be guessed, so a key is stored as a plain SHA-256: a slow password hash
protects short secrets that people choose, and here would only slow down every call.

The name is the caller's identity. Keys with one name (two, while one replaces the other) share
their rate limit, their invocations, and the secrets that sign their callbacks. A key never changes;
it is created, used, and revoked or left to expire.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field

from runtime.access.scopes import Grant, read_grant
from runtime.sdk.option_parsing import parse_rate
from runtime.sdk.options import Rate
from runtime.store.access_commands import StoredKey

KEY_PREFIX = "pk_"
SESSION_PREFIX = "ps_"
KEY_PATTERN = r"pk_[0-9a-z]{12}_[0-9A-Za-z]{49}"
_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_LETTERS = string.digits + string.ascii_lowercase
_ID_LENGTH = 12
_SECRET_LENGTH = 43
_CHECKSUM_LENGTH = 6
_ID_PLACE = slice(len(KEY_PREFIX), len(KEY_PREFIX) + _ID_LENGTH)
_KEY = re.compile(r"pk_([0-9a-z]{12})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})", re.ASCII)
_BEGINNING = re.compile(r"pk_[0-9a-z]{12}_", re.ASCII)
_SESSION = re.compile(r"ps_[0-9A-Za-z]{43}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyText:
    """A key as its holder has it; `id` may be shown, the secret is never shown again."""

    id: str
    secret: str = field(repr=False)

    def write(self) -> str:
        """Return the text that the holder keeps and sends."""
        body = f"{KEY_PREFIX}{self.id}_{self.secret}"
        return body + _checksum(body)

    def digest(self) -> str:
        """Return what is stored of it."""
        return digest_of_key(self.write())


def generate_key_text() -> KeyText:
    """Return the text of a new key."""
    return KeyText(id=_draw(_ID_LETTERS, _ID_LENGTH), secret=_draw(_LETTERS, _SECRET_LENGTH))


def parse_key_text(text: str) -> KeyText | None:
    """Return the key of a text; None if the text has the wrong shape or checksum."""
    match = _KEY.fullmatch(text)
    if match is None:
        return None
    key = KeyText(id=match[1], secret=match[2])
    return key if _checksum(text[:-_CHECKSUM_LENGTH]) == match[3] else None


def holds_key(text: str) -> bool:
    """Whether a text contains what looks like the beginning of a key, complete or mistyped."""
    return _BEGINNING.search(text) is not None


def presumed_id(text: str) -> str:
    """Return the id in a text, assuming that the text is a key."""
    return text[_ID_PLACE]


def digest_of_key(text: str) -> str:
    """Return what is stored of a key's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def generate_session_text() -> str:
    """Return the text of a new session."""
    return SESSION_PREFIX + _draw(_LETTERS, _SECRET_LENGTH)


def digest_of_session(text: str) -> str | None:
    """Return what is stored of a session's text; None if the text has the wrong shape."""
    if _SESSION.fullmatch(text) is None:
        return None
    return hashlib.sha256(text.encode()).hexdigest()


def _draw(letters: str, count: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(count))


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_LETTERS))
        digits = _LETTERS[digit] + digits
    return digits


_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
NAME_RULE = "1 to 64 lower-case letters, digits, . _ or -, the first a letter or digit"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One key.

    Attributes:
        digest: What is stored of its text.
        rate: The rate limit of its name; None means no limit of its own.
        expires_at_ms: When it expires, by Redis's clock; None means never.
        used_at_ms: When it was last used, within some seconds; None means never.
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
        """Whether the text is this key, compared in constant time."""
        return hmac.compare_digest(self.digest, digest_of_key(text))

    def has_expired(self, now_ms: int) -> bool:
        """Whether the key has expired."""
        return self.expires_at_ms is not None and now_ms >= self.expires_at_ms


def read_key(stored: StoredKey) -> ApiKey:
    """Return a key from what is stored; scopes unknown to this version allow nothing."""
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
    """Return the text if it is a valid caller name.

    Raises:
        ValueError: It is not; the message names the rule.
    """
    if _NAME.fullmatch(text) is None:
        raise ValueError(f"takes a name: {NAME_RULE}")
    return text
