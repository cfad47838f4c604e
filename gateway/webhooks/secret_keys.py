"""The secrets that the operator gave this gateway, as the keys that signatures are checked with.

A secret that is missing, or of the wrong form, is logged the first time that it is needed.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from gateway.webhooks.schemes import scheme_of
from gateway.webhooks.signatures import invalid
from runtime.sdk.verification import Verification

_log = structlog.get_logger(__name__)


class SecretKeys:
    """The keys by the names of their secrets.

    Args:
        secrets: The secrets by name, as `read_secrets` returns them.
    """

    def __init__(self, secrets: Mapping[str, tuple[str, ...]]) -> None:
        self._secrets = secrets
        self._found: dict[Verification, tuple[bytes, ...]] = {}

    def are_set(self, verification: Verification) -> bool:
        """Whether this gateway has a secret with which it can verify."""
        return bool(self._keys(verification))

    def find(self, verification: Verification) -> tuple[bytes, ...]:
        """Return the keys of a function.

        Raises:
            ProblemError: `signature_invalid`: there are none; the message names the variable.
        """
        keys = self._keys(verification)
        if not keys:
            raise invalid(
                f"This gateway has no secret to verify the signature with; its operator has to set "
                f"{_variable(verification)}."
            )
        return keys

    def _keys(self, verification: Verification) -> tuple[bytes, ...]:
        known = self._found.get(verification)
        if known is None:
            known = self._found[verification] = tuple(self._read(verification))
        return known

    def _read(self, verification: Verification) -> list[bytes]:
        keys = []
        secrets = self._secrets.get(verification.secret, ())
        reasons = [] if secrets else ["it is not set"]
        for secret in secrets:
            try:
                key = scheme_of(verification).key_of(secret)
            except ValueError as error:
                reasons.append(str(error))
                continue
            # An empty key would make a signature that anybody can make.
            if key:
                keys.append(key)
            else:
                reasons.append("it is empty")
        for reason in reasons:
            _log.warning(
                "webhook_secret_unusable",
                variable=_variable(verification),
                scheme=verification.scheme,
                reason=reason,
            )
        return keys


def _variable(verification: Verification) -> str:
    return f"PENSTOCK_SECRET_{verification.secret}"
