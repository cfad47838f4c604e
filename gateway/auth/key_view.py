"""Keys as they are made and shown: both secrets in the one answer that makes them, never again.

Shared by POST /keys and the command line, which works on Redis itself.
"""

from __future__ import annotations

from typing import Any

from gateway.auth.key_body import NewKey
from runtime.access.api_key import ApiKey, KeyText, read_key
from runtime.callbacks.signing import generate_secret
from runtime.invocations.view import moment
from runtime.store import access_commands
from runtime.store.access_commands import CreatedKey, FoundKeys, StoredKey
from runtime.store.scripts import Command


def making(text: KeyText, new: NewKey, callback_secret: str) -> Command[CreatedKey]:
    """Return the call that keeps a new key."""
    stored = StoredKey(
        id=text.id, name=new.name, digest=text.digest(), scopes=new.scopes, rate=new.rate
    )
    return access_commands.create_key(
        stored,
        lifetime_ms=new.lifetime_ms,
        callback_secret=callback_secret,
        replaces_secret=new.wants_secret,
    )


def draw_callback_secret() -> str:
    """Return a secret for a name that may need one."""
    return generate_secret()


def made_view(text: KeyText, new: NewKey, made: CreatedKey, callback_secret: str) -> dict[str, Any]:
    """Return the one answer that shows the key; the callback secret only when it is new."""
    return {
        "id": text.id,
        "key": text.write(),
        "name": new.name,
        "scopes": list(new.scopes),
        "rate": new.rate or None,
        "created_at": moment(made.created_at_ms),
        "expires_at": moment(made.expires_at_ms or None),
        "callback_secret": callback_secret if made.took_secret else None,
    }


def listed_view(found: FoundKeys) -> list[dict[str, Any]]:
    """Return keys as lists show them, oldest first."""
    keys = sorted(map(read_key, found.keys), key=lambda key: (key.created_at_ms, key.id))
    return [key_view(key, found.now_ms) for key in keys]


def key_view(key: ApiKey, now_ms: int) -> dict[str, Any]:
    """Return a key as administrators see it."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.grant.scopes),
        "rate": key.rate_text or None,
        "created_at": moment(key.created_at_ms),
        "expires_at": moment(key.expires_at_ms),
        "expired": key.has_expired(now_ms),
        "last_used_at": moment(key.used_at_ms),
    }
