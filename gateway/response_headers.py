"""Headers that every answer carries, unless its resource chose otherwise."""

from __future__ import annotations

from falcon.asgi import Request, Response


class ResponseHeaders:
    """Falcon middleware that guards what browsers and caches do with our answers."""

    async def process_response(
        self,
        req: Request,  # noqa: ARG002 - Falcon's signature
        resp: Response,
        resource: object,  # noqa: ARG002 - Falcon's signature
        req_succeeded: bool,  # noqa: ARG002, FBT001 - Falcon's signature
    ) -> None:
        """Forbid guessing media types, and caching of what is not said to be cacheable."""
        resp.set_header("X-Content-Type-Options", "nosniff")
        if resp.get_header("Cache-Control") is None:
            resp.set_header("Cache-Control", "no-store")
