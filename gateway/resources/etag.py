"""Entity tags: a client that has the current response gets 304 (RFC 9110, section 13)."""

from __future__ import annotations

import gzip
import hashlib

from falcon.asgi import Request, Response


def digest_of(body: bytes) -> str:
    """Return a digest that can be the entity tag of a body."""
    return hashlib.blake2b(body, digest_size=12).hexdigest()


def answer_with_etag(req: Request, resp: Response, body: bytes, media_type: str, etag: str) -> None:
    """Answer with the body, or with 304 if If-None-Match names this tag."""
    quoted = f'"{etag}"'
    resp.set_header("ETag", quoted)
    if _matches(req.get_header("If-None-Match"), quoted):
        resp.status = 304
        return
    resp.content_type = media_type
    resp.data = body


def answer_compressed(
    req: Request, resp: Response, compressed: bytes, media_type: str, etag: str
) -> None:
    """Answer with a body in gzip if the client accepts that, otherwise with the plain body."""
    resp.set_header("Vary", "Accept-Encoding")
    if "gzip" in (req.get_header("Accept-Encoding") or ""):
        resp.set_header("Content-Encoding", "gzip")
        answer_with_etag(req, resp, compressed, media_type, etag)
    else:
        answer_with_etag(req, resp, gzip.decompress(compressed), media_type, f"{etag}-plain")


def _matches(header: str | None, quoted: str) -> bool:
    """Compare weakly, as the RFC defines it for If-None-Match."""
    if header is None:
        return False
    if header.strip() == "*":
        return True
    return quoted in [tag.strip().removeprefix("W/") for tag in header.split(",")]
