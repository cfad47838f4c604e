"""Schemas of API keys and sessions, for the OpenAPI document."""

from __future__ import annotations

from gateway.auth.key_body import LONGEST_S, MOST_SCOPES
from gateway.openapi.json_schema import (
    MAYBE_MOMENT,
    MAYBE_TEXT,
    MOMENT,
    TEXT,
    Json,
    array_of,
    closed,
    component,
    described,
    flag,
    list_of,
    object_of,
)
from runtime.access.api_key import KEY_PATTERN, NAME_RULE
from runtime.access.scopes import FORMS, SCOPE_PATTERN
from runtime.sdk.durations import PATTERN
from runtime.sdk.option_parsing import RATE_PATTERN

_NAME: Json = {
    **TEXT,
    "description": f"The caller: {NAME_RULE}. Keys with the same name count as one caller.",
    "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$",
}
_SCOPES: Json = {
    "type": "array",
    "description": "What the key allows.",
    "items": {**TEXT, "description": f"One of {', '.join(FORMS)}.", "pattern": SCOPE_PATTERN},
    "minItems": 1,
    "maxItems": MOST_SCOPES,
    "examples": [["invoke:thumbnail", "read"]],
}
_RATE: Json = {
    **MAYBE_TEXT,
    "description": "The rate limit, shared by all keys with this name; null for the gateway's own.",
    "pattern": RATE_PATTERN,
}
_GRANTED = described(array_of(TEXT), "The scopes of the key.")
_KEY: dict[str, Json] = {
    "id": described(TEXT, "The id of the key."),
    "name": described(TEXT, "The name of the caller."),
    "scopes": _GRANTED,
    "rate": _RATE,
    "created_at": described(MOMENT, "When the key was created."),
    "expires_at": described(MAYBE_MOMENT, "When it expires; null if never."),
}
_SECRET: Json = {
    **MAYBE_TEXT,
    "description": "The new secret that callbacks to this caller are signed with. It is shown only "
    "here, and null if there is no new one.",
}
ACCESS_SCHEMAS: dict[str, Json] = {
    "NewKey": {
        **closed(
            component(
                "The key to create.",
                ["name", "scopes"],
                name=_NAME,
                scopes=_SCOPES,
                rate={**_RATE, "examples": ["100/m"]},
                expires_in={
                    "anyOf": [
                        {**TEXT, "pattern": PATTERN},
                        {"type": "number", "minimum": 1, "maximum": LONGEST_S},
                        {"type": "null"},
                    ],
                    "description": "How long the key is valid, such as `90d`. Default: it never "
                    "expires.",
                    "examples": ["90d"],
                },
                new_callback_secret={
                    "type": "boolean",
                    "default": False,
                    "description": "Sign callbacks with a new secret, and with the previous one "
                    "too. The first key with a name always gets a new secret.",
                },
            )
        ),
        "examples": [{"name": "shop", "scopes": ["invoke:hello"]}],
    },
    "CreatedKey": component(
        "A new key. No other response shows its text.",
        **_KEY,
        key={
            **TEXT,
            "description": "The text of the key.",
            "pattern": f"^{KEY_PATTERN}$",
        },
        callback_secret=_SECRET,
    ),
    "KeyList": list_of(
        object_of(
            **_KEY,
            expired=flag("Whether the key has expired."),
            last_used_at=described(MAYBE_MOMENT, "When it was last used; null if never."),
        )
    ),
    "Login": closed(
        component(
            "The key to log in with.",
            key={**TEXT, "minLength": 1, "description": "The text of an API key."},
        )
    ),
    "Session": component(
        "The caller of the request.",
        open=flag("True if no key was needed."),
        name=described(MAYBE_TEXT, "The name of the key."),
        key=described(MAYBE_TEXT, "The id of the key."),
        scopes=_GRANTED,
        reads=flag("Whether they may see everything."),
        operates=flag("Whether they may change everything."),
        expires_at=described(MAYBE_MOMENT, "When the key or the session expires."),
        session=flag("Whether a session cookie was used instead of a key."),
    ),
}
