"""What a request says of its body: the media type, and codings that are not undone here."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.problems import ProblemError

JSON = "application/json"


def media_type_of(content_type: str | None) -> str:
    """Return the media type without parameters, in lower case; "" for none."""
    return (content_type or "").partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON, by its name or its suffix (RFC 6839)."""
    return media_type == JSON or (media_type.endswith("+json") and "/" in media_type)


def require_no_coding(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Pass if the body comes as it is.

    Raises:
        ProblemError: `unsupported_media_type`: it is compressed.
    """
    for name, value in headers:
        coding = value.decode("latin-1").strip().lower()
        if name == b"content-encoding" and coding not in ("", "identity"):
            raise ProblemError(
                "unsupported_media_type",
                f"The Content-Encoding {coding[:64]!r} is not undone here: send the body without.",
                headers={"Accept-Encoding": "identity"},
            )
