"""The pydantic types behind the string formats of published schemas.

`runtime.registry.formats` imports this module when it checks the first text of such a format, so
the gateway does not load pydantic before it is needed.
"""

from __future__ import annotations

import decimal
import ipaddress
import re
import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

import pydantic
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

TYPES: dict[str, Any] = {
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
    "email": pydantic.EmailStr,  # this and the next need the package email-validator
    "name-email": pydantic.NameEmail,
}


@cache
def check_of(name: str) -> Callable[[str], bool]:
    """Return a function that says whether a text has the format."""
    validator = TypeAdapter(TYPES[name]).validator

    def check(text: str) -> bool:
        try:
            validator.validate_json(to_json(text), strict=True)
        except (ValidationError, PydanticSerializationError):
            return False
        return True

    return check
