"""String formats of JSON Schema, judged by the pydantic types that publish them.

So the gateway and the runner cannot disagree on what a date or an address is.
Formats that would look at a machine's files are left to the runner.
"""

from __future__ import annotations

import base64
import binascii
import decimal
import importlib.util
import ipaddress
import re
import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pydantic
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

BASE64_FORMAT = "penstock-base64"
_TYPES: dict[str, Any] = {
    "date-time": datetime,
    "date": date,
    "time": time,
    "duration": timedelta,
    "decimal": decimal.Decimal,
    "uuid": uuid.UUID,
    "uuid1": pydantic.UUID1,
    "uuid3": pydantic.UUID3,
    "uuid4": pydantic.UUID4,
    "uuid5": pydantic.UUID5,
    "uri": pydantic.AnyUrl,
    "ipv4": ipaddress.IPv4Address,
    "ipv6": ipaddress.IPv6Address,
    "ipvanyaddress": pydantic.IPvAnyAddress,
    "ipv4network": ipaddress.IPv4Network,
    "ipv6network": ipaddress.IPv6Network,
    "ipvanynetwork": pydantic.IPvAnyNetwork,
    "ipv4interface": ipaddress.IPv4Interface,
    "ipv6interface": ipaddress.IPv6Interface,
    "ipvanyinterface": pydantic.IPvAnyInterface,
    "json-string": pydantic.Json,
    "regex": re.Pattern,
    "base64": pydantic.Base64Str,
    "base64url": pydantic.Base64UrlStr,
}
if importlib.util.find_spec("email_validator") is not None:
    _TYPES |= {"email": pydantic.EmailStr, "name-email": pydantic.NameEmail}


def is_base64(text: str) -> bool:
    """Whether a text is standard base64: its alphabet, its padding, no white space."""
    try:
        base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return False
    return True


def _judge(annotation: Any) -> Callable[[str], bool]:  # noqa: ANN401
    validator = TypeAdapter(annotation).validator

    def judge(text: str) -> bool:
        try:
            validator.validate_json(to_json(text), strict=True)
        except (ValidationError, PydanticSerializationError):
            return False
        return True

    return judge


FORMATS: dict[str, Callable[[str], bool]] = {
    **{name: _judge(annotation) for name, annotation in _TYPES.items()},
    BASE64_FORMAT: is_base64,
}
