"""The cache of API keys in a gateway process, and the check of a key's text.

A key never changes, so a cached key can be wrong in only one way: it was revoked. Redis publishes
revocations, which arrive within milliseconds. A cached key is trusted for one second after Redis
confirmed it, and not at all while the subscription is down. If a script of Redis checks the key
again, as when a call is accepted, any cached key is enough; that saves a round trip.

Error messages do not show whether a key with some id exists. Only a caller with the right secret
learns that the key has expired.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from gateway.auth.failure_throttle import FailureThrottle
from gateway.auth.redis_clock import RedisClock
from gateway.problems import ProblemError
from gateway.webhooks.signatures import CHALLENGE
from runtime.access.api_key import KEY_PREFIX, ApiKey, parse_key_text, presumed_id, read_key
from runtime.errors import StoreError
from runtime.store import access_commands
from runtime.store.access_commands import LOGGED_OUT, REVOKED
from runtime.store.async_connection import AsyncConnection

_log = structlog.get_logger(__name__)
_TRUSTED_S = 1.0
_MISSING_S = 60.0
_MOST_KEYS = 10_000
_USE_NOTED_EVERY_S = 10.0


@dataclass(slots=True)
class _Entry:
    key: ApiKey
    confirmed_at: float


class KeyCache:
    """API keys by id, as Redis last confirmed them.

    Args:
        store: The connection to Redis.
        on_revoked: Called with the id of each key that is revoked.
        on_logged_out: Called with the digest of each session that ends.
        trusted_s: How long a key is trusted after Redis confirmed it.
        missing_s: How long an id without a key is remembered.
        use_noted_every_s: How often the uses of keys are written to Redis.
        clock: Redis's clock, which decides when a key expires.
    """

    def __init__(
        self,
        store: AsyncConnection,
        *,
        on_revoked: Callable[[str], None] = lambda _: None,
        on_logged_out: Callable[[str], None] = lambda _: None,
        trusted_s: float = _TRUSTED_S,
        missing_s: float = _MISSING_S,
        use_noted_every_s: float = _USE_NOTED_EVERY_S,
        clock: RedisClock | None = None,
    ) -> None:
        self._store = store
        self._on_revoked = on_revoked
        self._on_logged_out = on_logged_out
        self._trusted_s = trusted_s
        self._missing_s = missing_s
        self._use_noted_every_s = use_noted_every_s
        self._entries: dict[str, _Entry] = {}
        # Id to when it may be asked for again: a restored Redis may have the key by then.
        self._missing: dict[str, float] = {}
        self._revoked: dict[str, None] = {}  # never expire; oldest first
        self._is_subscribed = False
        self._clock = clock or RedisClock(store)
        self._used: set[str] = set()
        self._noting: asyncio.Task[None] | None = None

    async def find(self, key_id: str, *, is_rechecked: bool = False) -> ApiKey | None:
        """Return a key, expired or not; None if no key has that id.

        Args:
            key_id: The id of the key.
            is_rechecked: Whether Redis checks the key again before the request has any effect.

        Raises:
            StoreError: Redis is needed and not available.
        """
        known = self.recall(key_id, is_rechecked=is_rechecked)
        if known is not None:
            return known
        now = asyncio.get_running_loop().time()
        if key_id in self._revoked or self._missing.get(key_id, 0.0) > now:
            return None
        found = await self._store.run(access_commands.find_key(key_id))
        self.note_time(found.now_ms)
        if key_id in self._revoked:  # it was revoked while Redis was asked
            return None
        if not found.keys:
            self._miss(key_id, now)
            return None
        self._missing.pop(key_id, None)
        key = read_key(found.keys[0])
        if len(self._entries) >= _MOST_KEYS:
            self._entries.clear()
        self._entries[key_id] = _Entry(key, now)
        return key

    def recall(self, key_id: str, *, is_rechecked: bool = False) -> ApiKey | None:
        """Return a cached key that can be used without asking Redis; None otherwise."""
        entry = self._entries.get(key_id)
        if entry is None or not self._is_subscribed:
            return None
        if is_rechecked:
            return entry.key
        age_s = asyncio.get_running_loop().time() - entry.confirmed_at
        return entry.key if age_s < self._trusted_s else None

    def knows_of(self, key_id: str) -> bool:
        """Whether the cache knows that a key with this id exists, does not exist or was revoked."""
        return key_id in self._entries or key_id in self._missing or key_id in self._revoked

    def note_time(self, now_ms: int) -> None:
        """Update the offset to Redis's clock; `now_ms` is the time that Redis has just reported."""
        self._clock.note(now_ms)

    def now_ms(self) -> int:
        """Return the time by Redis's clock, estimated from its last report."""
        return self._clock.now_ms()

    def note_use(self, key_id: str) -> None:
        """Record the use of a key; all uses are written to Redis together, later."""
        self._used.add(key_id)
        if self._noting is None:
            self._noting = asyncio.create_task(self._note_soon())

    def on_revocation(self, news: bytes) -> None:
        """Handle a published message: a key was revoked, or a session ended."""
        which = news[1:].decode("ascii", "replace")
        if news.startswith(REVOKED):
            self._revoke(which)
        elif news.startswith(LOGGED_OUT):
            self._on_logged_out(which)

    async def refresh(self, key_ids: Iterable[str], sessions: Iterable[str]) -> None:
        """Report keys and sessions that ended while the subscription was down.

        Args:
            key_ids: The ids of keys that have open streams.
            sessions: The digests of sessions that have open streams.

        Raises:
            StoreError: Redis is not available.
        """
        for key_id in key_ids:
            if not (await self._store.run(access_commands.find_key(key_id))).keys:
                self._revoke(key_id)
        for digest in sessions:
            if await self._store.run(access_commands.find_session(digest)) is None:
                self._on_logged_out(digest)

    def on_subscribed(self) -> None:
        """Start trusting the cache; drop old entries, whose revocations may have been missed."""
        self._entries.clear()
        self._is_subscribed = True

    def on_unsubscribed(self) -> None:
        """Stop trusting the cache until the next `on_subscribed`."""
        self._is_subscribed = False

    async def stop(self) -> None:
        """Write the last uses of keys to Redis; safe to call twice."""
        task, self._noting = self._noting, None
        if task is not None:
            task.cancel()
        await self._note()

    def _revoke(self, key_id: str) -> None:
        self._entries.pop(key_id, None)
        if len(self._revoked) >= _MOST_KEYS:
            del self._revoked[next(iter(self._revoked))]
        self._revoked[key_id] = None
        self._on_revoked(key_id)

    def _miss(self, key_id: str, now: float) -> None:
        self._entries.pop(key_id, None)
        if len(self._missing) >= _MOST_KEYS:
            self._missing.clear()
        self._missing[key_id] = now + self._missing_s

    async def _note_soon(self) -> None:
        await asyncio.sleep(self._use_noted_every_s)
        # Before the write: a key that is used during it starts the next timer.
        self._noting = None
        await self._note()

    async def _note(self) -> None:
        used, self._used = self._used, set()
        if not used:
            return
        try:
            await self._store.run(access_commands.touch_keys(sorted(used)))
        except StoreError as error:
            _log.debug("key_use_not_noted", reason=str(error))


_LONGEST = 512


class KeyChecker:
    """Checks the texts of keys, and counts wrong ones by the address of the client."""

    def __init__(self, key_cache: KeyCache, failures: FailureThrottle) -> None:
        self._key_cache = key_cache
        self._failures = failures

    def still_counts(self, key: ApiKey, *, is_rechecked: bool = False) -> bool:
        """Whether a key that was checked before is still valid; if so, record its use."""
        if self._key_cache.recall(key.id, is_rechecked=is_rechecked) is not key:
            return False
        if self._is_over(key):
            return False
        self._key_cache.note_use(key.id)
        return True

    async def check(self, shown: str, address: str, *, is_rechecked: bool = False) -> ApiKey:
        """Return the key that has this text.

        Raises:
            ProblemError: `unauthenticated` or `too_many_failures`.
            StoreError: Redis is needed and not available.
        """
        known = self._key_cache.recall(presumed_id(shown), is_rechecked=is_rechecked)
        if known is not None and known.is_opened_by(shown) and not self._is_over(known):
            self._key_cache.note_use(known.id)
            return known
        text = parse_key_text(shown) if len(shown) <= _LONGEST else None
        if text is None:
            raise self._refuse(address, "This is not an API key, or it was mistyped.")
        is_stranger = not self._key_cache.knows_of(text.id)
        if is_stranger and self._failures.wait_s(address) and not self._failures.take_chance():
            raise self._refuse(address, "")
        key = await self._key_cache.find(text.id, is_rechecked=is_rechecked)
        if key is None or not key.is_opened_by(shown):
            raise self._refuse(address, "This API key is not known.")
        if self._is_over(key):
            raise self._refuse(address, "This API key has expired.")
        self._key_cache.note_use(key.id)
        return key

    def note_time(self, now_ms: int) -> None:
        """Update the offset to Redis's clock; `now_ms` is the time that Redis has just reported."""
        self._key_cache.note_time(now_ms)

    def _is_over(self, key: ApiKey) -> bool:
        return key.expires_at_ms is not None and key.has_expired(self._key_cache.now_ms())

    def _refuse(self, address: str, detail: str) -> ProblemError:
        wait_s = math.ceil(self._failures.wait_s(address))
        self._failures.note(address)
        if wait_s:
            return ProblemError(
                "too_many_failures",
                f"Too many wrong keys came from this address; try again in {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )
        return unauthenticated(detail)


def unauthenticated(detail: str) -> ProblemError:
    """Return the problem of a request without a valid key."""
    return ProblemError("unauthenticated", detail, headers=CHALLENGE)


def shown_key(authorization: str) -> str | None:
    """Return the key in an Authorization header: a Bearer token, or a Basic password.

    Basic is for webhook senders that accept only a URL, which can have a password in it. A
    password that does not begin like a key is ignored.
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
