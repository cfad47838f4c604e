"""The Idempotency-Key header, and the digests that identify a repeated request.

The draft (draft-ietf-httpapi-idempotency-key-header) makes the key a quoted structured string; most
clients send it bare. Both forms are accepted and mean the same key. A repetition must have the same
arguments, media type, options and callback as the first request.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from gateway.parsing.preferences import fault_of, refuse_parameters
from runtime.invocations.submission import CallOptions
from runtime.store.submission_commands import Idempotency

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
_BARE = re.compile(r"[\x21\x23-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
# RFC 9651, section 3.3.3, with any parameters (section 3.1.2).
_QUOTED = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"(?:\s*;[\x20-\x7e]*)?')
_ESCAPED = re.compile(r"\\(.)")
_DIGEST_BYTES = 18
_length = struct.Struct(">Q").pack


def read_idempotency_key(header: str | None) -> str | None:
    """Return the key in the header, or None without a header.

    Raises:
        ProblemError: `parameter_invalid`, if the key is empty, too long or has other characters
            than visible ASCII.
    """
    if header is None:
        return None
    text = header.strip()
    if text[:1] == '"':
        quoted = _QUOTED.fullmatch(text)
        key = "" if quoted is None else _ESCAPED.sub(r"\1", quoted[1])
    else:
        key = text if _BARE.fullmatch(text) else ""
    if not 0 < len(key) <= LONGEST_KEY:
        detail = f"takes 1 to {LONGEST_KEY} visible ASCII characters, bare or in double quotes"
        refuse_parameters([fault_of(HEADER, detail)])
    return key


def identify(
    key: str,
    *,
    function: str,
    caller: str,
    content: Sequence[bytes],
    is_webhook: bool = False,
) -> Idempotency:
    """Return the digests of the key and of the request, as Redis stores them.

    Args:
        key: The key that the caller sent.
        function: The function; each function has its own keys.
        caller: The caller from `identity_of`; each caller has its own keys.
        content: What a repetition must have in common with the first request.
        is_webhook: Whether the key is the sender's id of a verified webhook.
    """
    return Idempotency(
        digest=_digest(_begin(function, caller), [key.encode()]),
        body_digest=_digest(_begin(), content),
        is_webhook=is_webhook,
    )


def options_content(call_options: CallOptions) -> bytes:
    """Return the options that a repetition must have in common with the first request."""
    return msgspec.json.encode(
        (
            *(
                call_options.priority,
                call_options.delay_ms,
                call_options.run_at_ms,
                call_options.max_age_ms,
            ),
            *(call_options.key, call_options.tags, call_options.callback),
        )
    )


@lru_cache(maxsize=1024)
def _begin(*scope: str) -> hashlib.blake2b:
    """Return the common start of all digests of a scope; callers copy it."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    digest.update(_join([part.encode() for part in scope]))
    return digest


def _digest(begun: hashlib.blake2b, parts: Sequence[bytes]) -> str:
    digest = begun.copy()
    digest.update(_join(parts))
    return digest.hexdigest()


def _join(parts: Sequence[bytes]) -> bytes:
    """Return the parts joined, each after its length in eight bytes."""
    text = b""
    for part in parts:
        text += _length(len(part)) + part
    return text
