"""What identifies a repeated call: its idempotency key, or the sender's id of a webhook."""

from __future__ import annotations

from falcon.asgi import Request

from gateway.auth.caller import identity_of
from gateway.auth.webhook_callers import sender_id_of
from gateway.parsing.arguments import ParsedArguments
from gateway.parsing.idempotency import identify
from gateway.serving.request_parser import BODY
from runtime.media_types import media_type_of
from runtime.registry.manifest import Manifest
from runtime.store.submission_commands import Idempotency


def idempotency_of(
    req: Request, manifest: Manifest, sourced: ParsedArguments, options: bytes, key: str | None
) -> Idempotency | None:
    """Return the digests of a call; None if nothing identifies it.

    Args:
        req: The request.
        manifest: The manifest of the function.
        sourced: The arguments.
        options: The options of the call as bytes.
        key: The key in its header; the sender's id of a verified webhook counts instead of it.
    """
    sender_id = sender_id_of(req.scope)
    key = sender_id or key
    if key is None:
        return None
    is_whole = sourced.request is not None
    return identify(
        key,
        function=manifest.name,
        caller=identity_of(req.scope),
        content=(
            media_type_of(req.content_type).encode(),
            req.scope[BODY] if is_whole else sourced.encoded,
            sourced.target,
            options,
        ),
        is_webhook=sender_id is not None,
    )
