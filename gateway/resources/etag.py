"""Entity tags: a client that has the current response gets 304 (RFC 9110, section 13)."""

from __future__ import annotations

from falcon.asgi import Request, Response


def answer_with_etag(req: Request, resp: Response, body: bytes, media_type: str, etag: str) -> None:
    """Answer with the body, or with 304 if If-None-Match names this tag."""
    quoted = f'"{etag}"'
    resp.set_header("ETag", quoted)
    if _matches(req.get_header("If-None-Match"), quoted):
        resp.status = 304
        return
    resp.content_type = media_type
    resp.data = body


def _matches(header: str | None, quoted: str) -> bool:
    """Compare weakly, as the RFC defines it for If-None-Match."""
    if header is None:
        return False
    if header.strip() == "*":
        return True
    return quoted in [tag.strip().removeprefix("W/") for tag in header.split(",")]
