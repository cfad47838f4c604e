"""What caches may do with answers, unless their resource chose otherwise.

`X-Content-Type-Options: nosniff` is on every answer, from the server itself
(`gateway.serving.worker`).
"""

from __future__ import annotations

from typing import Any

from falcon.asgi import Request, Response


class CacheHeaders:
    """Falcon middleware that forbids caching what is not said to be cacheable."""

    async def process_resource(
        self,
        req: Request,
        resp: Response,
        resource: object,  # noqa: ARG002 - Falcon's signature
        params: dict[str, Any],  # noqa: ARG002 - Falcon's signature
    ) -> None:
        """Set the default before the resource speaks; caches do not keep answers to POST."""
        if req.method == "GET":
            resp.set_header("Cache-Control", "no-store")
