"""Sign callbacks, and keep the secrets to sign with.

Signatures are those of Standard Webhooks, version 1: HMAC-SHA256 over "id.timestamp.body"
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
Secrets are written "whsec_" and base64. Settings and API keys hold them; a worker whose settings
have none creates one in the data folder. No error text and no `repr` contains a secret.
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
    """Return the value of the header `webhook-signature`: one signature for each secret."""
    content = f"{webhook_id}.{timestamp_s}.".encode() + body
    digests = (hmac.new(secret.key, content, hashlib.sha256).digest() for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


PREFIX = "whsec_"
FEWEST_BYTES = 24
MOST_BYTES = 64


@dataclass(frozen=True, slots=True)
class Secret:
    """The key of a signature. `repr` hides it."""

    key: bytes = field(repr=False)


def generate_secret() -> str:
    """Return a new random secret in its written form."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def load_or_create_secret(path: Path) -> str:
    """Return the secret in a file that only its owner may read; create the file if it is missing.

    Processes that start at the same time get the same secret.

    Raises:
        SettingsError: The file cannot be read or created.
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
                os.link(draft, path)  # unlike a rename, it does not replace another process's file
        finally:
            draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(
            f"PENSTOCK_CALLBACK_SECRET: not set, and none can be stored in {path}: {error.strerror}"
        ) from error


def parse_secret(text: str) -> Secret:
    """Parse a written secret.

    Raises:
        SettingsError: It is not a secret; the text does not repeat it.
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
    """Parse several secrets, in the order in which they sign."""
    return tuple(parse_secret(text) for text in texts)
