"""What a deliverer goes by: limits, secrets, and what an operator allows."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from runtime.callbacks.delivery_attempt import CONNECT_S, TOTAL_S
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
        slots: Most attempts in flight in this process.
        lease_ms: How long an attempt is ours; longer than `total_s`.
        idle_s: Longest time between two looks at what is due.
        grace_s: What attempts in flight get to end when the process stops.
        delays_ms: The waits between attempts.
        tls: What https receivers are checked with, if not the usual authorities.
        tracer: Makes spans, where somebody wants them.
    """

    secrets: tuple[Secret, ...]
    policy: Policy = field(default_factory=Policy)
    resolver: Resolver = field(default_factory=lambda: Resolver(resolve_host))
    public_url: str = ""
    slots: int = 512
    connect_s: float = CONNECT_S
    total_s: float = TOTAL_S
    lease_ms: int = 30_000
    idle_s: float = 8.0
    grace_s: float = 2.0
    delays_ms: tuple[int, ...] = DELAYS_MS
    tls: ssl.SSLContext | None = None
    tracer: Tracer | None = None


def read_rules(settings: Settings, tracer: Tracer | None = None) -> DeliveryRules:
    """Return the rules an operator has set; without a secret, one is kept in the data folder.

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
