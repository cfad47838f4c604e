"""The shapes of keys and sessions."""

from __future__ import annotations

from typing import Any

from gateway.auth.key_body import LONGEST_S, MOST_SCOPES
from gateway.openapi.json_schema import MAYBE_MOMENT, MAYBE_TEXT, MOMENT, TEXT, list_of, object_of
from runtime.access.api_key import KEY_PATTERN, NAME_RULE
from runtime.access.scopes import FORMS, SCOPE_PATTERN
from runtime.sdk.durations import PATTERN
from runtime.sdk.option_parsing import RATE_PATTERN

Json = dict[str, Any]
_NAME: Json = {
    **TEXT,
    "description": f"Who calls: {NAME_RULE}. Keys of one name are one caller.",
    "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$",
}
_SCOPES: Json = {
    "type": "array",
    "items": {**TEXT, "description": f"One of {', '.join(FORMS)}.", "pattern": SCOPE_PATTERN},
    "minItems": 1,
    "maxItems": MOST_SCOPES,
    "examples": [["invoke:thumbnail", "read"]],
}
_RATE: Json = {
    **MAYBE_TEXT,
    "description": "Calls per time, for all keys of its name together.",
    "pattern": RATE_PATTERN,
}
_KEY: dict[str, Json] = {
    "id": TEXT,
    "name": TEXT,
    "scopes": {"type": "array", "items": TEXT},
    "rate": _RATE,
    "created_at": MOMENT,
    "expires_at": MAYBE_MOMENT,
}
_SECRET: Json = {
    **MAYBE_TEXT,
    "description": "What callbacks to this name are signed with from now on, when it is new; "
    "shown here only.",
}
ACCESS_SCHEMAS: dict[str, Json] = {
    "NewKey": {
        **object_of(
            {
                "name": _NAME,
                "scopes": _SCOPES,
                "rate": {**_RATE, "examples": ["100/m"]},
                "expires_in": {
                    "anyOf": [
                        {**TEXT, "pattern": PATTERN},
                        {"type": "number", "minimum": 1, "maximum": LONGEST_S},
                        {"type": "null"},
                    ],
                    "description": "How long it is valid, such as `90d`; for ever if not given.",
                    "examples": ["90d"],
                },
                "new_callback_secret": {
                    "type": "boolean",
                    "default": False,
                    "description": "Have callbacks signed with a new secret and the last one; "
                    "a new name gets a secret anyway.",
                },
            },
            ["name", "scopes"],
        ),
        "additionalProperties": False,
        "examples": [{"name": "shop", "scopes": ["invoke:hello"]}],
    },
    "CreatedKey": {
        "description": "A new key; the only answer in which it stands.",
        **object_of(
            {
                **_KEY,
                "key": {**TEXT, "pattern": f"^{KEY_PATTERN}$"},
                "callback_secret": _SECRET,
            }
        ),
    },
    "KeyList": list_of(
        object_of({**_KEY, "expired": {"type": "boolean"}, "last_used_at": MAYBE_MOMENT})
    ),
    "Login": {
        **object_of({"key": {**TEXT, "minLength": 1}}),
        "additionalProperties": False,
    },
    "Session": {
        "description": "Who the caller is. `open`: nobody is asked for a key here.",
        **object_of(
            {
                "open": {"type": "boolean"},
                "name": MAYBE_TEXT,
                "key": {**MAYBE_TEXT, "description": "The id of the key."},
                "scopes": {"type": "array", "items": TEXT},
                "reads": {"type": "boolean"},
                "operates": {"type": "boolean"},
                "expires_at": MAYBE_MOMENT,
                "session": {"type": "boolean"},
            }
        ),
    },
}
