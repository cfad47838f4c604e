"""The settings of the deliverer: limits, secrets, and the addresses that an operator allows."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from runtime.callbacks.resolver import Resolver, resolve_host
from runtime.callbacks.retry_schedule import DELAYS_MS
from runtime.callbacks.signing import Secret, load_or_create_secret, parse_secrets
from runtime.callbacks.ssrf_guard import Policy, parse_policy
from runtime.settings import Settings
from runtime.telemetry.tracing import Tracer

SECRET_FILE = "callback_secret"  # noqa: S105 - its name


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """The deliverer's settings.

    Attributes:
        secrets: The operator's signing secrets, for callers without secrets of their own.
        policy: Which addresses are allowed.
        resolver: Resolves the host names of receivers.
        public_url: The gateway's URL for links in bodies; empty leaves links relative.
        slots: Most attempts in flight in this process.
        connect_s: Longest wait for a connection.
        total_s: Longest attempt.
        lease_ms: How long an attempt is leased; longer than `total_s`.
        idle_s: Longest time between two claims.
        grace_s: How long attempts in flight may go on when the process stops.
        delays_ms: The waits between attempts.
        tls: The TLS settings for https receivers; default: the usual certificate authorities.
        tracer: Makes spans, if tracing is on.
    """

    secrets: tuple[Secret, ...]
    policy: Policy = field(default_factory=Policy)
    resolver: Resolver = field(default_factory=lambda: Resolver(resolve_host))
    public_url: str = ""
    slots: int = 512
    connect_s: float = 5.0
    total_s: float = 15.0
    lease_ms: int = 30_000
    idle_s: float = 8.0
    grace_s: float = 2.0
    delays_ms: tuple[int, ...] = DELAYS_MS
    tls: ssl.SSLContext | None = None
    tracer: Tracer | None = None


def read_rules(settings: Settings, tracer: Tracer | None = None) -> DeliveryRules:
    """Return the deliverer's settings; without a secret, create one in the data folder.

    Raises:
        SettingsError: A secret or an allowed network is malformed.
    """
    written = settings.callback_secret or (load_or_create_secret(settings.data / SECRET_FILE),)
    return DeliveryRules(
        secrets=parse_secrets(written),
        policy=parse_policy(
            settings.callback_allow, allow_loopback=settings.callback_allow_loopback
        ),
        public_url=settings.public_url,
        tracer=tracer,
    )
