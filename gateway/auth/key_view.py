"""Create API keys and show them; the two secrets appear only in the response that creates them.

POST /keys and the command line, which uses Redis directly, share this module.
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
    """Return the Redis command that stores a new key."""
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
    """Return a new callback secret; it is used only if the name needs one."""
    return generate_secret()


def made_view(text: KeyText, new: NewKey, made: CreatedKey, callback_secret: str) -> dict[str, Any]:
    """Return the response to the creation of a key, with its text and any new callback secret."""
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
    """Return keys as a list shows them, oldest first."""
    keys = sorted(map(read_key, found.keys), key=lambda key: (key.created_at_ms, key.id))
    return [key_view(key, found.now_ms) for key in keys]


def key_view(key: ApiKey, now_ms: int) -> dict[str, Any]:
    """Return a key as a list shows it."""
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
