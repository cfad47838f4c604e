"""Typed commands for API keys and sessions.

`runtime.access` interprets scopes and rate limits. Redis's clock decides whether a key is valid, so
every answer about keys includes its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from runtime.store.scripts import Command, call_script, pairs

REVOKED = b"-"  # notice: a key was revoked; its id follows
LOGGED_OUT = b"~"  # notice: a session ended; its digest follows
OUTLIVED_KEPT_MS = 30 * 24 * 3_600_000
SECRETS_KEPT_MS = 30 * 24 * 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A key as stored; a time of 0 means never, "" means none."""

    id: str
    name: str
    digest: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    rate: str = ""
    created_at_ms: int = 0
    expires_at_ms: int = 0
    used_at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundKeys:
    """Some keys, and Redis's time."""

    now_ms: int
    keys: tuple[StoredKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedKey:
    """When a key was created and expires; whether its name has a new callback secret."""

    created_at_ms: int
    expires_at_ms: int
    took_secret: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSession:
    """The key of a session, when the session ends, and Redis's time."""

    now_ms: int
    ends_at_ms: int
    key: StoredKey


def create_key(
    key: StoredKey, *, lifetime_ms: int, callback_secret: str, replaces_secret: bool
) -> Command[CreatedKey]:
    """Store a new key; Redis sets its times, and `lifetime_ms` 0 means no expiry.

    Its name gets the callback secret if it has none, or is to have a new one besides its last.
    """
    words = (
        *(key.id, key.name, key.digest, " ".join(key.scopes), key.rate, lifetime_ms),
        *(callback_secret, "1" if replaces_secret else "", OUTLIVED_KEPT_MS),
    )
    return call_script(
        "create_api_key",
        words,
        lambda reply: CreatedKey(
            created_at_ms=reply[0], expires_at_ms=reply[1], took_secret=reply[2] == 1
        ),
    )


def revoke_key(key_id: str) -> Command[str | None]:
    """Revoke a key, everywhere and at once; return its name, or None if there is no such key."""
    return call_script(
        "revoke_api_key", (key_id, SECRETS_KEPT_MS), lambda reply: reply.decode() or None
    )


def read_keys() -> Command[FoundKeys]:
    """Read every key, by expiry, even those that have expired lately."""
    return call_script("read_api_keys", ("",), _read_found)


def find_key(key_id: str) -> Command[FoundKeys]:
    """Read one key: none or one."""
    return call_script("read_api_keys", (key_id,), _read_found)


def count_valid_keys() -> Command[int]:
    """Count the keys that are valid now."""

    def count(reply: list[Any]) -> int:
        found = _read_found(reply)
        return sum(not k.expires_at_ms or k.expires_at_ms > found.now_ms for k in found.keys)

    return call_script("read_api_keys", ("",), count)


def touch_keys(key_ids: Iterable[str]) -> Command[int]:
    """Record that keys were used now; return how many of them still exist."""
    return call_script("touch_api_keys", tuple(key_ids), int)


def open_session(digest: str, key_id: str, *, longest_ms: int) -> Command[int]:
    """Start a session of a key; return its length in ms, 0 if the key is not valid."""
    return call_script("open_session", (digest, key_id, longest_ms), int)


def find_session(digest: str) -> Command[FoundSession | None]:
    """Read the key of a session; None if the session or its key is no longer valid."""

    def parse(reply: list[Any]) -> FoundSession | None:
        if not reply:
            return None
        [key] = _read_found([reply[0], reply[2]]).keys
        return FoundSession(now_ms=reply[0], ends_at_ms=reply[1], key=key)

    return call_script("read_session", (digest,), parse)


def close_session(digest: str) -> Command[int]:
    """End a session, and notify every gateway."""
    return call_script("close_session", (digest,), int)


def _read_found(reply: Sequence[Any]) -> FoundKeys:
    return FoundKeys(now_ms=reply[0], keys=tuple(_read_key(entry) for entry in reply[1:]))


def _read_key(entry: Sequence[Any]) -> StoredKey:
    fields = dict(pairs([part.decode() for part in entry[2]]))
    return StoredKey(
        id=entry[0].decode(),
        name=fields.get("name", ""),
        digest=fields.get("digest", ""),
        scopes=tuple(fields.get("scopes", "").split()),
        rate=fields.get("rate", ""),
        created_at_ms=int(fields.get("created_at", 0)),
        expires_at_ms=int(entry[1]),
        used_at_ms=int(fields.get("used_at", 0)),
    )
