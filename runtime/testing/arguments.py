"""What a test gives to a function, told apart: the arguments of a caller, and what is injected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Secret, SecretBytes, SecretStr

from runtime.errors import ResultNotSerializableError
from runtime.registry.manifest import Manifest
from runtime.registry.results import encode_json
from runtime.sdk.context import Context
from runtime.sdk.request import Request, decode_request, encode_request

_SECRETS = (Secret, SecretBytes, SecretStr)
_INJECTED = {"context": Context, "request": Request}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The arguments as JSON, the request to inject, and what the test says of the attempt."""

    arguments: bytes
    context: Context
    request: Request

    @classmethod
    def of(cls, manifest: Manifest, arguments: dict[str, Any]) -> Given:
        """Tell them apart by the function's parameters.

        Raises:
            TypeError: A value has no JSON form, or is not what its parameter is annotated with.
        """
        named = dict(arguments)
        injected: dict[str, Any] = {
            "context": Context(timeout_s=manifest.options.timeout_s),
            "request": Request(),
        }
        for name, kind in manifest.injected.items():
            if name not in named:
                continue
            value = named.pop(name)
            if not isinstance(value, _INJECTED[kind]):
                text = f"{name} takes a penstock.{_INJECTED[kind].__name__}, not {value!r:.80}"
                raise TypeError(text)
            injected[kind] = value
        # As the gateway hands it on, so that a test sees what a system would give.
        request = decode_request(encode_request(injected["request"]))
        return cls(arguments=_encode(named), context=injected["context"], request=request)


def _encode(arguments: dict[str, Any]) -> bytes:
    plain = {
        name: value.get_secret_value() if isinstance(value, _SECRETS) else value
        for name, value in arguments.items()
    }
    try:
        return encode_json(plain, returns=None, name="arguments")
    except ResultNotSerializableError as error:
        raise TypeError(str(error)) from None
