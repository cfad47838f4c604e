"""/keys: create, list and revoke API keys. A key's secrets are shown once, when it is created."""

from __future__ import annotations

import structlog
from falcon.asgi import Request, Response

from gateway.auth.caller import caller_of
from gateway.auth.key_body import read_new_key
from gateway.auth.key_view import draw_callback_secret, listed_view, made_view, making
from gateway.parsing.json_body import require_no_coding
from gateway.problems import ProblemError
from gateway.resources.json_answer import answer_json
from gateway.resources.store_resource import StoreResource
from gateway.serving.request_parser import BODY, HEADERS
from runtime.access.api_key import generate_key_text
from runtime.media_types import is_json, media_type_of
from runtime.store import access_commands

_log = structlog.get_logger(__name__)
_JSON = "application/json"


class KeyList(StoreResource):
    """GET and POST /keys."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """List all keys, oldest first."""
        found = await self._store.run(access_commands.read_keys())
        answer_json(resp, {"items": listed_view(found), "next": None})

    async def on_post(self, req: Request, resp: Response) -> None:
        """Create a key."""
        require_json(req)
        new = read_new_key(req.scope[BODY])
        text, secret = generate_key_text(), draw_callback_secret()
        made = await self._store.run(making(text, new, secret))
        by = caller_of(req.scope).name
        _log.info("key_created", key=text.id, name=new.name, scopes=new.scopes, by=by)
        resp.set_header("Cache-Control", "no-store")
        answer_json(resp, made_view(text, new, made, secret), 201)


class OneKey(StoreResource):
    """DELETE /keys/{id}."""

    async def on_delete(self, req: Request, resp: Response, key_id: str) -> None:
        """Revoke a key."""
        name = await self._store.run(access_commands.revoke_key(key_id))
        if name is None:
            raise ProblemError("key_not_found", f"No API key has the id {key_id[:64]!r}.")
        _log.info("key_revoked", key=key_id, name=name, by=caller_of(req.scope).name)
        resp.status = 204


def require_json(req: Request) -> None:
    """Require that the body is declared as JSON, which a form on another site's page cannot do.

    Raises:
        ProblemError: `unsupported_media_type`.
    """
    media_type = media_type_of(req.content_type or _JSON)
    require_no_coding(req.scope[HEADERS])
    if not is_json(media_type):
        raise ProblemError("unsupported_media_type", f"The body must be {_JSON}, not {media_type}.")
