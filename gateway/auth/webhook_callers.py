"""Senders of webhooks as callers: a valid signature admits a call of one function without a key.

`AuthMiddleware` asks where a key is needed and none was sent. The resource that accepts the call
asks for every function that verifies, whoever calls. A signature is checked once, and only with
the whole body. Wrong ones are not throttled: each costs one HMAC, and behind a proxy a forger and
the genuine sender have the same address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.auth.caller import CALLER, Caller
from gateway.auth.key_check import unauthenticated
from gateway.auth.redis_clock import RedisClock
from gateway.serving.request_parser import BODY, HEADERS
from gateway.webhooks.called_function import called_function
from gateway.webhooks.schemes import scheme_of
from gateway.webhooks.secret_keys import SecretKeys
from gateway.webhooks.signatures import Delivery, is_signed, read_signature, verify
from runtime.access.scopes import INVOKE, Grant
from runtime.registry.manifest import Manifest
from runtime.sdk.verification import Verification

_VERIFIED = "penstock.verified"  # in the scope: the verification, the function and its delivery


class WebhookCallers:
    """Verifies the webhooks of one gateway.

    Args:
        find: Returns the manifest of a function by the name in a path; None if there is none.
        keys: The secrets of this gateway.
        clock: Redis's clock.
    """

    def __init__(
        self, find: Callable[[str], Manifest | None], keys: SecretKeys, clock: RedisClock
    ) -> None:
        self._find = find
        self._keys = keys
        self._clock = clock

    def has_secret(self, verification: Verification) -> bool:
        """Whether this gateway has the secret that a function's webhooks are verified with."""
        return self._keys.are_set(verification)

    async def admit(self, scope: dict[str, Any]) -> bool:
        """Set the caller of a request without a key; False if it does not claim to be signed.

        Before its body has arrived, the caller is not set: only the headers are checked then.

        Raises:
            ProblemError: `signature_invalid`.
            StoreError: Redis's time is needed and it does not answer.
        """
        name = called_function(scope["method"], scope["path"])
        manifest = None if name is None else self._find(name)
        if manifest is None or manifest.options.verify is None:
            return False
        if BODY in scope:
            return await self._verify(scope, manifest.name, manifest.options.verify) is not None
        scheme = scheme_of(manifest.options.verify)
        if not is_signed(scheme, scope[HEADERS]):
            return False
        self._keys.find(manifest.options.verify)
        read_signature(scheme, scope[HEADERS], await self._clock.ask() if scheme.is_timed else 0)
        return True

    async def require(self, scope: dict[str, Any], manifest: Manifest) -> Delivery | None:
        """Return the delivery of a signed call; None for an unsigned call of a caller with a key.

        Call it before anything else is done for the call, if the function verifies.

        Raises:
            ProblemError: `signature_invalid`, or `unauthenticated` with neither signature nor key.
            StoreError: Redis's time is needed and it does not answer.
        """
        verification = manifest.options.verify
        if verification is None:
            return None
        delivery = await self._verify(scope, manifest.name, verification)
        if delivery is None:
            header = scheme_of(verification).header
            require_key(scope, f"{manifest.name} verifies webhooks: sign the request ({header})")
        return delivery

    async def _verify(
        self, scope: dict[str, Any], function: str, verification: Verification
    ) -> Delivery | None:
        known = scope.get(_VERIFIED)
        if known is not None and known[:2] == (verification, function):
            delivery: Delivery = known[2]
            return delivery
        scheme, headers = scheme_of(verification), scope[HEADERS]
        if not is_signed(scheme, headers):
            return None
        keys = self._keys.find(verification)
        now_ms = await self._clock.ask() if scheme.is_timed else 0
        delivery = verify(scheme, headers, scope[BODY], keys, now_ms)
        scope[_VERIFIED] = verification, function, delivery
        caller: Caller | None = scope.get(CALLER)
        if caller is None or not caller.key_id:
            scope[CALLER] = _caller(function, verification)
        return delivery


def sender_id_of(scope: Mapping[str, Any]) -> str | None:
    """Return the sender's id of a verified webhook, the same when it is sent again, if it has one.

    It is the idempotency key of the call.
    """
    known = scope.get(_VERIFIED)
    return None if known is None else known[2].sender_id


def require_key(scope: dict[str, Any], otherwise: str) -> None:
    """Refuse a caller without a key, also where no other function needs one.

    Raises:
        ProblemError: `unauthenticated`.
    """
    caller: Caller = scope[CALLER]
    if not caller.key_id:
        raise unauthenticated(f"{otherwise}, or send an API key.")


def _caller(function: str, verification: Verification) -> Caller:
    """Return the caller that a signature stands for. No key can have such a name."""
    return Caller(
        grant=Grant(scopes=(INVOKE + function,), functions=frozenset({function})),
        name=f"webhook:{verification.scheme}",
    )
