"""How senders sign webhooks: one table of schemes.

Each scheme is HMAC-SHA-256 over the body as it was sent, some with values of headers before it. The
schemes differ in their headers, in what precedes the body, and in how signatures are written.
`gateway.webhooks.signatures` reads and checks by this table. A new scheme is one more entry, and
one more name in `runtime.sdk.verification`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from runtime.sdk.verification import Encoding, Verification

_STANDARD_PREFIX = "whsec_"


def _key_of_text(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogateescape")


def _key_of_base64(secret: str) -> bytes:
    """Decode `whsec_<base64>`; raises ValueError if it is not that."""
    text = secret.removeprefix(_STANDARD_PREFIX)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("it takes base64, after `whsec_`") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """How one kind of sender signs.

    Attributes:
        header: The header with the signatures.
        form: What that header looks like, for error messages.
        prefix: What precedes each signature.
        separator: What separates the parts of the header; "" if it is one signature.
        encoding: How a signature is written.
        timestamp_header: The header with the time of signing; "" if it has none.
        timestamp_prefix: What precedes the time, if it is a part of `header`.
        before_body: Returns what precedes the body in the signed text, from the id and the time.
        id_header: The header with the sender's id of the delivery; "" if it has none.
        is_id_signed: Whether that header is part of the signed text, and so required.
        id_member: The member of a JSON body with that id; "" if it has none.
        echoes_challenge: Whether the sender first sends a challenge, to get it back.
        key_of: Returns the key in a secret; raises ValueError if it holds none.
    """

    header: str
    form: str
    prefix: str
    separator: str = ""
    encoding: Encoding = "hex"
    timestamp_header: str = ""
    timestamp_prefix: str = ""
    before_body: Callable[[bytes, bytes], bytes] | None = None
    id_header: str = ""
    is_id_signed: bool = False
    id_member: str = ""
    echoes_challenge: bool = False
    key_of: Callable[[str], bytes] = _key_of_text

    @property
    def is_timed(self) -> bool:
        """Whether the time of signing is signed, so that an old signature can be refused."""
        return bool(self.timestamp_header or self.timestamp_prefix)


SCHEMES: dict[str, Scheme] = {
    "standard": Scheme(
        header="Webhook-Signature",
        form="`v1,<base64>`, several separated by blanks",
        prefix="v1,",
        separator=" ",
        encoding="base64",
        timestamp_header="Webhook-Timestamp",
        before_body=lambda sender_id, time: b"%b.%b." % (sender_id, time),
        id_header="Webhook-Id",
        is_id_signed=True,
        key_of=_key_of_base64,
    ),
    "github": Scheme(
        header="X-Hub-Signature-256",
        form="`sha256=<hex>`",
        prefix="sha256=",
        id_header="X-GitHub-Delivery",
    ),
    "stripe": Scheme(
        header="Stripe-Signature",
        form="`t=<seconds>,v1=<hex>`",
        prefix="v1=",
        separator=",",
        timestamp_prefix="t=",
        before_body=lambda _, time: b"%b." % time,
        id_member="id",
    ),
    "slack": Scheme(
        header="X-Slack-Signature",
        form="`v0=<hex>`",
        prefix="v0=",
        timestamp_header="X-Slack-Request-Timestamp",
        before_body=lambda _, time: b"v0:%b:" % time,
        id_member="event_id",
        echoes_challenge=True,
    ),
}


@lru_cache(maxsize=256)
def scheme_of(verification: Verification) -> Scheme:
    """Return the scheme that a function declares."""
    if verification.scheme != "hmac":
        return SCHEMES[verification.scheme]
    return Scheme(
        header=verification.header,
        form=f"`{verification.prefix}<{verification.encoding}>`",
        prefix=verification.prefix,
        encoding=verification.encoding,
        id_header=verification.id_header,
    )
