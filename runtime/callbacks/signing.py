"""Standard Webhooks signatures, version 1: HMAC-SHA256 over "id.timestamp.body".

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runtime.errors import SettingsError


def sign(secrets: Sequence[Secret], *, webhook_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: one signature for each secret."""
    content = f"{webhook_id}.{timestamp_s}.".encode() + body
    return " ".join(f"v1,{_signature(secret, content)}" for secret in secrets)


def _signature(secret: Secret, content: bytes) -> str:
    return base64.b64encode(hmac.new(secret.key, content, hashlib.sha256).digest()).decode()


PREFIX = "whsec_"
FEWEST_BYTES = 24
MOST_BYTES = 64


@dataclass(frozen=True, slots=True)
class Secret:
    """The key of a signature; never shown."""

    key: bytes = field(repr=False)


def generate_secret() -> str:
    """Return a new secret in its written form."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def load_or_create_secret(path: Path) -> str:
    """Return the secret kept in a file that only its owner reads; made once, whoever comes first.

    Raises:
        SettingsError: The file can be neither read nor made.
    """
    try:
        with contextlib.suppress(FileNotFoundError):
            return path.read_text().strip()
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(generate_secret() + "\n")
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)  # unlike a rename, never replaces another's
        finally:
            draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(
            f"PENSTOCK_CALLBACK_SECRET: not set, and none can be kept in {path}: {error.strerror}"
        ) from error


def parse_secret(text: str) -> Secret:
    """Read a written secret.

    Raises:
        SettingsError: It is not one; the text does not repeat it.
    """
    wrong = (
        f"PENSTOCK_CALLBACK_SECRET: a secret is {PREFIX} and the base64 of "
        f"{FEWEST_BYTES} to {MOST_BYTES} random bytes"
    )
    if not text.startswith(PREFIX):
        raise SettingsError(wrong)
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError(wrong) from None
    if not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise SettingsError(wrong)
    return Secret(key)


def parse_secrets(texts: Iterable[str]) -> tuple[Secret, ...]:
    """Read all of an operator's secrets; the first signs first."""
    return tuple(parse_secret(text) for text in texts)
