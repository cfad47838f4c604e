"""Media types, as a `Content-Type` names them. Used wherever a body is read or shown."""

from __future__ import annotations

from functools import lru_cache

JSON = "application/json"


@lru_cache(maxsize=64)
def media_type_of(content_type: str | None) -> str:
    """Return the media type without parameters, in lower case; "" without a Content-Type."""
    return (content_type or "").partition(";")[0].strip().lower()


def is_json(content_type: str | None) -> bool:
    """Whether a media type is JSON, by its name or its suffix (RFC 6839, section 3.1)."""
    media_type = media_type_of(content_type)
    return media_type == JSON or (media_type.endswith("+json") and "/" in media_type)
