"""The option `verify` of @function: how the gateway verifies the signatures of webhooks.

Its text is `scheme:SECRET`, such as `github:REPO`. SECRET is the name under which the operator
gives the secret to the gateway, as `PENSTOCK_SECRET_REPO`. The scheme `hmac` has parameters, for
senders that no other scheme fits:

    hmac:SHOP header=X-Signature prefix=sha256= encoding=hex id=X-Delivery
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Literal, get_args

SchemeName = Literal["standard", "github", "stripe", "slack", "hmac"]
Encoding = Literal["hex", "base64"]
SCHEME_NAMES: tuple[str, ...] = get_args(SchemeName)
_SECRET_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}", re.ASCII)
_EXAMPLES = "'github:REPO' or 'hmac:SHOP header=X-Signature encoding=hex'"
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", re.ASCII)
_PREFIX = re.compile(r"[\x21-\x7e]{0,32}", re.ASCII)
# The gateway reads these itself, and does not show them to functions.
_WITHHELD = frozenset({"authorization", "proxy-authorization", "cookie"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How the webhooks of a function are verified; the last four fields are those of `hmac`.

    Attributes:
        scheme: How the sender signs.
        secret: The name of the secret.
        header: The header with the signature.
        prefix: What precedes the signature there.
        encoding: How the signature is written.
        id_header: The header with the sender's id of a delivery; "" without one.
    """

    scheme: SchemeName
    secret: str
    header: str = ""
    prefix: str = ""
    encoding: Encoding = "hex"
    id_header: str = ""


def parse_verification(value: object) -> Verification:
    """Parse a text such as `github:REPO`.

    Raises:
        ValueError: It is not allowed; the text says what is.
    """
    words = value.split() if isinstance(value, str) else []
    scheme, colon, secret = words[0].partition(":") if words else ("", "", "")
    if not colon:
        raise ValueError(f"takes a scheme and the name of a secret: {_EXAMPLES}")
    if scheme not in SCHEME_NAMES:
        raise ValueError(f"takes one of the schemes {', '.join(SCHEME_NAMES)}, not {scheme!r}")
    if not _SECRET_NAME.fullmatch(secret):
        raise ValueError(
            f"{secret!r} cannot be the name of a secret: it takes capital letters, digits and _, "
            "64 at most, and begins with a letter"
        )
    if scheme != "hmac":
        if words[1:]:
            raise ValueError(f"{scheme} has no parameters; only hmac has")
        return Verification(scheme=scheme, secret=secret)  # type: ignore[arg-type]
    return _parse_hmac(secret, words[1:])


def _parse_hmac(secret: str, words: list[str]) -> Verification:
    given: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if name not in _PARAMETERS:
            close = difflib.get_close_matches(name, _PARAMETERS, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            allowed = ", ".join(_PARAMETERS)
            raise ValueError(f"hmac has no parameter {name!r}{hint} Allowed: {allowed}")
        if name in given:
            raise ValueError(f"{name}: is given twice")
        if not equals or not text:
            raise ValueError(f"{name}: takes a value, as in {_PARAMETERS[name]}")
        given[name] = text
    if "header" not in given:
        raise ValueError(f"hmac needs the header of the signature, as in {_PARAMETERS['header']}")
    for name in ("header", "id"):
        text = given.get(name, "X")
        if not _HEADER.fullmatch(text) or text.lower() in _WITHHELD:
            raise ValueError(
                f"{name}: {text!r} cannot be that header; letters, digits and -, 64 at most, and "
                f"none of {', '.join(sorted(_WITHHELD))}"
            )
    if not _PREFIX.fullmatch(given.get("prefix", "")):
        raise ValueError("prefix: takes up to 32 visible ASCII characters")
    encoding = given.get("encoding", "hex")
    if encoding not in get_args(Encoding):
        raise ValueError(f"encoding: takes {' or '.join(get_args(Encoding))}, not {encoding!r}")
    return Verification(
        scheme="hmac",
        secret=secret,
        header=given["header"],
        prefix=given.get("prefix", ""),
        encoding=encoding,  # type: ignore[arg-type]
        id_header=given.get("id", ""),
    )


_PARAMETERS = {
    "header": "header=X-Signature",
    "prefix": "prefix=sha256=",
    "encoding": "encoding=base64",
    "id": "id=X-Delivery",
}
