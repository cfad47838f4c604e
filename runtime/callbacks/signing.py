"""Standard Webhooks signatures, version 1: HMAC-SHA256 over "id.timestamp.body".

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from runtime.callbacks.secret import Secret


def sign(secrets: Sequence[Secret], *, webhook_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: one signature for each secret."""
    content = f"{webhook_id}.{timestamp_s}.".encode() + body
    return " ".join(f"v1,{_signature(secret, content)}" for secret in secrets)


def _signature(secret: Secret, content: bytes) -> str:
    return base64.b64encode(hmac.new(secret.key, content, hashlib.sha256).digest()).decode()
