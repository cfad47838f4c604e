"""The composition root of a gateway process: settings in, ASGI application out.

Gunicorn calls `gateway.app:create()`. What lives as long as the process (the connection to Redis,
the subscription, the manifest cache) starts and stops with the ASGI lifespan.
"""

from __future__ import annotations

import gc
import time
import uuid
from typing import Any

import structlog

from gateway.asgi.application import CacheHeaders, GatewayApplication
from gateway.asgi.body_limits import BodyLimits
from gateway.asgi.error_handlers import install_error_handlers
from gateway.auth.csrf import origin_of
from gateway.auth.failure_throttle import FailureThrottle
from gateway.auth.key_cache import KeyCache, KeyChecker
from gateway.auth.middleware import AuthMiddleware
from gateway.invoke.accept_spans import TracerLifespan
from gateway.invoke.admission import read_admission
from gateway.invoke.bulk_retry import BulkRetrier
from gateway.invoke.call_plan import CallPlans
from gateway.invoke.event_log import AcceptanceLog
from gateway.invoke.invoker import Invoker
from gateway.lifespan import ErrorReporter
from gateway.live.event_reader import EventReader
from gateway.live.event_streams import EventStreams
from gateway.live.manifest_cache import ManifestCache
from gateway.live.statistics_cache import StatisticsCache
from gateway.live.subscriber import Subscriber
from gateway.live.waiters import InvocationReader, Waiters
from gateway.resources.batches import BatchRetry, OneBatch
from gateway.resources.bulk import BulkCancel, BulkRetry
from gateway.resources.checks import CheckList, OneCheck
from gateway.resources.dashboard import DashboardAsset, DashboardPage, read_dashboard_files
from gateway.resources.deliveries import DeliveryList, OneDelivery, Redelivery
from gateway.resources.documents import Docs, Documents, Home, OpenApi, ProblemPage
from gateway.resources.events import Events
from gateway.resources.functions import Function, FunctionList
from gateway.resources.health import Livez, Readyz
from gateway.resources.invocation_list import InvocationList
from gateway.resources.invocations import Invocation, InvocationLogs, Result
from gateway.resources.invoke import InvokeFunction
from gateway.resources.invoke_batch import InvokeBatch
from gateway.resources.keys import KeyList, OneKey
from gateway.resources.metrics import Metrics
from gateway.resources.quarantine import QuarantineList
from gateway.resources.queues import OneQueue, QueueList, QueuePurge
from gateway.resources.retries import OneRetry
from gateway.resources.schedules import OneSchedule, ScheduleFiring, ScheduleList
from gateway.resources.session import Session
from gateway.resources.statistics import Statistics
from gateway.resources.workers import WorkerList, WorkerPublishing
from gateway.routing.routes import ROUTES
from gateway.serving.body_memory import BodyMemory
from gateway.serving.limits import ConnectionLimits
from gateway.startup_checks import expected_hosts, is_open
from runtime.callbacks.address_cache import AddressCache
from runtime.callbacks.ssrf_guard import parse_policy
from runtime.logs import configure_logs
from runtime.settings import Settings, read_environment, read_settings
from runtime.store.async_connection import AsyncConnection
from runtime.telemetry.tracer_setup import open_tracer
from runtime.telemetry.tracing import Tracer

_log = structlog.get_logger(__name__)
_YOUNG_OBJECTS = 10_000


def create(settings: Settings | None = None) -> GatewayApplication:
    """Return the application of this process."""
    chosen = settings or read_settings()
    configure_logs(chosen.log_level, chosen.log_format)
    gateway_id = uuid.uuid4().hex
    store = AsyncConnection(chosen.redis, timeout_s=chosen.redis_timeout_s)
    directory = ManifestCache(store)
    tracer = open_tracer(read_environment(), part="gateway")
    waiters = Waiters()
    follower = InvocationReader(store, waiters, gateway_id)
    streams = EventStreams(EventReader(store, gateway_id))
    ring = KeyCache(
        store, on_revoked=streams.end_those_of, on_logged_out=streams.end_those_of_session
    )
    checker = KeyChecker(ring, FailureThrottle(time.monotonic))
    inbox = Subscriber(chosen.redis, gateway_id, waiters, follower, streams, directory, ring)

    log = AcceptanceLog()
    admission = read_admission(chosen)
    acceptance = Invoker(follower=follower, admission=admission, log=log, tracer=tracer)
    plans = CallPlans(store, max_waiting=admission.max_waiting)

    def drain() -> None:
        waiters.drain()
        streams.drain()

    auth_middleware = AuthMiddleware(
        is_open=is_open(chosen),
        checker=checker,
        store=store,
        public_origin=origin_of(chosen.public_url),
    )
    app = GatewayApplication(
        bodies=BodyMemory(chosen.max_held_bytes),
        limits=ConnectionLimits(
            header_timeout_s=chosen.header_timeout_s, body_timeout_s=chosen.body_timeout_s
        ),
        drain=drain,
        body_limits=BodyLimits(chosen),
        door=auth_middleware.check_early,
        middleware=[
            auth_middleware,
            CacheHeaders(),
            Lifespan(store, directory, inbox, ErrorReporter(store), ring),
            *([TracerLifespan(tracer)] if tracer else []),
        ],
        hosts=expected_hosts(chosen),
    )
    app.req_options.keep_blank_qs_values = True
    install_error_handlers(app)
    resources = _resources(chosen, store, directory, follower, acceptance, plans, tracer)
    more = {
        "events": Events(streams, follower, now_ms=ring.now_ms),
        "keys": KeyList(store),
        "key": OneKey(store),
        "session": Session(store, checker, public_url=chosen.public_url),
    }
    _mount(app, {**resources, **more})
    return app


class Lifespan:
    """Starts and stops what lives as long as the process (ASGI lifespan)."""

    def __init__(
        self,
        store: AsyncConnection,
        directory: ManifestCache,
        inbox: Subscriber,
        trouble: ErrorReporter,
        ring: KeyCache,
    ) -> None:
        self._store = store
        self._directory = directory
        self._inbox = inbox
        self._trouble = trouble
        self._key_cache = ring

    async def process_startup(self, scope: dict[str, Any], event: dict[str, Any]) -> None:  # noqa: ARG002
        """Subscribe and read the manifests; if Redis does not answer, both retry later."""
        _spare_the_collector()
        self._inbox.start()
        await self._directory.start()
        self._trouble.start()

    async def process_shutdown(self, scope: dict[str, Any], event: dict[str, Any]) -> None:  # noqa: ARG002
        """Stop the background loops, then disconnect."""
        # The connection comes last: the key cache writes the last uses of keys when it stops.
        await self._trouble.stop()
        await self._key_cache.stop()
        await self._directory.stop()
        await self._inbox.stop()
        await self._store.close()


def _spare_the_collector() -> None:
    """Make garbage collections rare, and limit them to what requests leave behind.

    Objects that live as long as the process are never collected. Some forty objects of each
    request in flight are alive at a time, so the default threshold (700) is reached at once, and
    each collection finds nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 10, 10)


def _resources(
    settings: Settings,
    store: AsyncConnection,
    directory: ManifestCache,
    follower: InvocationReader,
    acceptance: Invoker,
    plans: CallPlans,
    tracer: Tracer | None,
) -> dict[str, object]:
    policy = parse_policy(settings.callback_allow, allow_loopback=settings.callback_allow_loopback)
    callbacks = AddressCache(policy)
    retrier = BulkRetrier(store, directory, acceptance.admission)
    invoke = InvokeFunction(
        directory=directory, plans=plans, acceptance=acceptance, callbacks=callbacks
    )
    documents = Documents(directory)
    dashboard = read_dashboard_files()
    return {
        "function": Function(store, directory, invoke),
        "functions": FunctionList(store, directory),
        "function_batch": InvokeBatch(
            store=store,
            directory=directory,
            admission=acceptance.admission,
            callbacks=callbacks,
            longest_item_bytes=settings.max_body_bytes,
            tracer=tracer,
        ),
        "batch": OneBatch(store),
        "queues": QueueList(store),
        "queue": OneQueue(store),
        "queue_purge": QueuePurge(store),
        "checks": CheckList(store),
        "check": OneCheck(store),
        "workers": WorkerList(store),
        "worker_publishing": WorkerPublishing(store),
        "quarantine": QuarantineList(store),
        "batch_retry": BatchRetry(store, retrier),
        "invocation": Invocation(store, directory, follower),
        "invocations": InvocationList(store),
        "one_retry": OneRetry(
            directory=directory, plans=plans, follower=follower, acceptance=acceptance
        ),
        "bulk_retry": BulkRetry(store, retrier),
        "bulk_cancel": BulkCancel(store),
        "result": Result(follower),
        "logs": InvocationLogs(store, follower),
        "deliveries": DeliveryList(store),
        "delivery": OneDelivery(store),
        "redelivery": Redelivery(store),
        "schedules": ScheduleList(store, directory),
        "schedule": OneSchedule(store, directory),
        "schedule_firing": ScheduleFiring(store, directory, max_waiting=settings.max_waiting),
        "livez": Livez(),
        "metrics": Metrics(store, directory),
        "readyz": Readyz(store, directory, shows_details=is_open(settings)),
        "openapi_json": OpenApi(documents, form="json", media_type="application/json"),
        "openapi_yaml": OpenApi(documents, form="yaml", media_type="application/yaml"),
        "docs": Docs(),
        "problem": ProblemPage(),
        "home": Home(),
        "statistics": Statistics(StatisticsCache(store)),
        "dashboard": DashboardPage(dashboard),
        "dashboard_asset": DashboardAsset(dashboard),
    }


def _mount(app: GatewayApplication, resources: dict[str, object]) -> None:
    for route in ROUTES:
        app.add_route(route.path, resources[route.resource])
