"""Read and check the signature of a webhook: pure functions of headers, body, keys and time.

What costs little is refused first: a malformed header, then a stale time. Only then the body is
hashed, once for each key. Messages say which of the three it was, and nothing of the key.
"""

from __future__ import annotations

import binascii
import hmac
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

import msgspec

from gateway.problems import ProblemError
from gateway.webhooks.schemes import Scheme
from runtime import strict_json

FRESH_S = 300
_DIGEST_BYTES = 32
_MOST_DIGITS = 12
# A caller with an API key may call without a signature (RFC 9110: every 401 has a challenge).
CHALLENGE = {"WWW-Authenticate": "Bearer"}
Headers = Mapping[bytes, bytes]


class Signature(NamedTuple):
    """What the headers of a request say: the signatures, and what else was signed."""

    listed: tuple[bytes, ...]
    timestamp: bytes
    sender_id: bytes


class Delivery(NamedTuple):
    """A verified webhook.

    Attributes:
        sender_id: The sender's id of it, the same when it is sent again; None without one.
        challenge: The text that the sender wants back instead of a call; None for a call.
    """

    sender_id: str | None = None
    challenge: str | None = None


def invalid(detail: str) -> ProblemError:
    """Return the problem of a signature that is not accepted."""
    return ProblemError("signature_invalid", detail, headers=CHALLENGE)


@cache
def field_name(header: str) -> bytes:
    """Return the name of a header as the scope has it."""
    return header.lower().encode()


def is_signed(scheme: Scheme, headers: Headers) -> bool:
    """Whether a request claims to be signed."""
    return field_name(scheme.header) in headers


def read_signature(scheme: Scheme, headers: Headers, now_ms: int) -> Signature:
    """Return what the headers of a signed request say.

    Args:
        scheme: How the sender signs.
        headers: The headers by their names in lower case.
        now_ms: The time by Redis's clock, if the scheme is timed.

    Raises:
        ProblemError: `signature_invalid`: a header is missing or malformed, or the time is stale.
    """
    given = headers[field_name(scheme.header)]
    parts = given.split(scheme.separator.encode()) if scheme.separator else [given]
    parts = [part.strip() for part in parts]
    listed = tuple(_decode_listed(scheme, parts))
    if not listed:
        raise invalid(f"The header {scheme.header} is malformed; it takes {scheme.form}.")
    timestamp = b""
    if scheme.is_timed:
        timestamp = _timestamp(scheme, headers, parts)
        _require_fresh(int(timestamp), now_ms)
    sender_id = headers.get(field_name(scheme.id_header), b"") if scheme.id_header else b""
    if scheme.is_id_signed and not sender_id:
        raise invalid(f"The header {scheme.id_header} is missing, which is signed too.")
    return Signature(listed, timestamp, sender_id)


def verify(
    scheme: Scheme, headers: Headers, body: bytes, keys: Iterable[bytes], now_ms: int
) -> Delivery:
    """Return the delivery if one of the listed signatures was made with one of the keys.

    Raises:
        ProblemError: `signature_invalid`, see `read_signature`; or no signature is right.
    """
    signature = read_signature(scheme, headers, now_ms)
    before = b""
    if scheme.before_body is not None:
        before = scheme.before_body(signature.sender_id, signature.timestamp)
    for key in keys:
        signer = hmac.new(key, before, "sha256")
        signer.update(body)
        digest = signer.digest()
        if any(hmac.compare_digest(digest, listed) for listed in signature.listed):
            return _delivery(scheme, signature, body)
    raise invalid(f"No signature in {scheme.header} is one of this body by a known secret.")


def _decode_listed(scheme: Scheme, parts: list[bytes]) -> Iterable[bytes]:
    prefix = scheme.prefix.encode()
    for part in parts:
        if part.startswith(prefix):
            digest = _decode(scheme, part[len(prefix) :])
            if len(digest) == _DIGEST_BYTES:
                yield digest


def _decode(scheme: Scheme, text: bytes) -> bytes:
    try:
        if scheme.encoding == "hex":
            return binascii.unhexlify(text)
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        return b""


def _timestamp(scheme: Scheme, headers: Headers, parts: list[bytes]) -> bytes:
    if scheme.timestamp_header:
        where, times = scheme.timestamp_header, [headers.get(field_name(scheme.timestamp_header))]
    else:
        where, prefix = scheme.header, scheme.timestamp_prefix.encode()
        times = [part[len(prefix) :] for part in parts if part.startswith(prefix)]
    [time] = times if len(times) == 1 else [None]
    if time is None or not time.isdigit() or len(time) > _MOST_DIGITS:
        raise invalid(f"The header {where} does not say in seconds when the webhook was signed.")
    return time


def _require_fresh(signed_at_s: int, now_ms: int) -> None:
    late_s = now_ms // 1000 - signed_at_s
    if abs(late_s) > FRESH_S:
        how = f"{abs(late_s)} s {'ago' if late_s > 0 else 'in the future'}"
        raise invalid(f"The signature is stale: it was made {how}; {FRESH_S} s are accepted.")


def _delivery(scheme: Scheme, signature: Signature, body: bytes) -> Delivery:
    if not scheme.id_member:
        return Delivery(signature.sender_id.decode("latin-1") or None)
    sender_id, kind, challenge = _texts(body, (scheme.id_member, "type", "challenge"))
    asks = scheme.echoes_challenge and kind == "url_verification"
    return Delivery(sender_id or None, challenge if asks else None)


def _texts(body: bytes, names: tuple[str, ...]) -> list[str | None]:
    """Return the members of a JSON object that are texts; None for others.

    None for all if the body is something else, such as a form, or holds a lone surrogate. The other
    members are skipped, not decoded: a body may be long, and this runs on the event loop.
    """
    try:
        members = msgspec.json.decode(body, type=_type_with(names))
    except strict_json.ERRORS:
        return [None] * len(names)
    return [_text(getattr(members, name)) for name in names]


def _text(encoded: msgspec.Raw) -> str | None:
    try:
        return msgspec.json.decode(encoded, type=str)
    except strict_json.ERRORS:
        return None


@cache
def _type_with(names: tuple[str, ...]) -> type[msgspec.Struct]:
    return msgspec.defstruct("Members", [(name, msgspec.Raw, msgspec.Raw()) for name in names])
