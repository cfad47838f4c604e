"""A function that reads the request itself, and takes an argument beside it."""

from __future__ import annotations

from penstock import Request


def hook(request: Request, note: str = "none") -> dict[str, str | int]:
    """Say what came."""
    media_type = request.headers.get("content-type", "")
    return {"note": note, "media_type": media_type, "bytes": len(request.body)}
