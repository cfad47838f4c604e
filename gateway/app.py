"""The composition root of a gateway process: settings in, ASGI application out.

Gunicorn calls `gateway.app:create()`. What lives as long as the process (the connection to Redis,
the subscription, the manifest cache) starts and stops with the ASGI lifespan.
"""

from __future__ import annotations

import time
import uuid

import structlog

from gateway.asgi.application import CacheHeaders, GatewayApplication
from gateway.asgi.body_limits import BodyLimits
from gateway.asgi.error_handlers import install_error_handlers
from gateway.auth.csrf import origin_of
from gateway.auth.failure_throttle import FailureThrottle
from gateway.auth.key_check import KeyCache, KeyChecker
from gateway.auth.middleware import AuthMiddleware
from gateway.auth.redis_clock import RedisClock
from gateway.auth.webhook_callers import WebhookCallers
from gateway.invoke.admission import read_admission
from gateway.invoke.bulk_retry import BulkRetrier
from gateway.invoke.call_plan import CallPlans
from gateway.invoke.event_log import AcceptanceLog
from gateway.invoke.invoker import Invoker
from gateway.invoke.raw_call_reader import RawCallReader
from gateway.lifespan import ErrorReporter, Lifespan, TracerLifespan
from gateway.live.event_reader import EventReader
from gateway.live.event_streams import EventStreams
from gateway.live.manifest_cache import ManifestCache
from gateway.live.statistics_cache import StatisticsCache
from gateway.live.subscriber import Subscriber
from gateway.live.waiters import InvocationReader, Waiters
from gateway.parsing.function_names import find_name
from gateway.resources.batches import BatchRetry, OneBatch
from gateway.resources.bulk import BulkCancel, BulkRetry
from gateway.resources.checks import CheckList, OneCheck
from gateway.resources.dashboard import DashboardAsset, DashboardPage, read_dashboard_files
from gateway.resources.deliveries import DeliveryList, OneDelivery, Redelivery
from gateway.resources.documents import Docs, Documents, Home, OpenApi, ProblemPage
from gateway.resources.environments import EnvironmentList, OneEnvironment, Relocking
from gateway.resources.events import Events
from gateway.resources.functions import Function, FunctionList
from gateway.resources.health import Livez, Readyz
from gateway.resources.invocation_list import InvocationList
from gateway.resources.invocations import Invocation, InvocationLogs, Result
from gateway.resources.invoke import InvokeFunction
from gateway.resources.invoke_batch import InvokeBatch
from gateway.resources.keys import KeyList, OneKey
from gateway.resources.metrics import Metrics
from gateway.resources.openfaas_logs import OpenFaasLogs
from gateway.resources.openfaas_system import (
    OpenFaasFunction,
    OpenFaasFunctions,
    OpenFaasHealth,
    OpenFaasInfo,
    OpenFaasNamespace,
    OpenFaasNamespaces,
    OpenFaasScaling,
    OpenFaasSecrets,
)
from gateway.resources.quarantine import QuarantineList
from gateway.resources.queues import OneQueue, QueueList, QueuePurge
from gateway.resources.raw_calls import AsyncFunction, AsyncFunctionBelow, RawFunction
from gateway.resources.retries import OneRetry
from gateway.resources.schedules import OneSchedule, ScheduleFiring, ScheduleList
from gateway.resources.session import Session
from gateway.resources.statistics import Statistics
from gateway.resources.workers import WorkerList, WorkerPublishing
from gateway.routing.routes import ROUTES
from gateway.serving.allowed_origins import AllowedOrigins
from gateway.serving.body_memory import BodyMemory
from gateway.serving.limits import ConnectionLimits
from gateway.startup_checks import expected_hosts, is_open, read_origins
from gateway.webhooks.secret_keys import SecretKeys
from runtime.callbacks.address_cache import AddressCache
from runtime.callbacks.ssrf_guard import parse_policy
from runtime.logs import configure_logs
from runtime.settings import Settings, read_environment, read_secrets, read_settings
from runtime.store.async_connection import AsyncConnection
from runtime.telemetry.tracer_setup import open_tracer
from runtime.telemetry.tracing import Tracer

_log = structlog.get_logger(__name__)


def create(settings: Settings | None = None) -> GatewayApplication:
    """Return the application of this process."""
    chosen = settings or read_settings()
    configure_logs(chosen.log_level, chosen.log_format)
    gateway_id = uuid.uuid4().hex
    store = AsyncConnection(chosen.redis, timeout_s=chosen.redis_timeout_s)
    manifest_cache = ManifestCache(store)
    tracer = open_tracer(read_environment(), part="gateway")
    waiters = Waiters()
    invocation_reader = InvocationReader(store, waiters, gateway_id)
    streams = EventStreams(EventReader(store, gateway_id))
    clock = RedisClock(store)
    key_cache = KeyCache(
        store,
        on_revoked=streams.end_those_of,
        on_logged_out=streams.end_those_of_session,
        clock=clock,
    )
    checker = KeyChecker(key_cache, FailureThrottle(time.monotonic))
    subscriber = Subscriber(
        chosen.redis, gateway_id, waiters, invocation_reader, streams, manifest_cache, key_cache
    )

    log = AcceptanceLog()
    admission = read_admission(chosen)
    invoker = Invoker(
        invocation_reader=invocation_reader, admission=admission, log=log, tracer=tracer
    )
    plans = CallPlans(store, max_waiting=admission.max_waiting)

    def drain() -> None:
        waiters.drain()
        streams.drain()

    origins = AllowedOrigins(read_origins(chosen), lambda: manifest_cache.manifests, find_name)
    webhooks = WebhookCallers(manifest_cache.recall, SecretKeys(read_secrets()), clock)
    auth_middleware = AuthMiddleware(
        is_open=is_open(chosen),
        checker=checker,
        store=store,
        webhooks=webhooks,
        public_origin=origin_of(chosen.public_url),
        origins=origins,
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
            Lifespan(store, manifest_cache, subscriber, ErrorReporter(store), key_cache),
            *([TracerLifespan(tracer)] if tracer else []),
        ],
        hosts=expected_hosts(chosen),
        origins=origins,
    )
    app.req_options.keep_blank_qs_values = True
    install_error_handlers(app)
    resources = _resources(
        chosen, store, manifest_cache, invocation_reader, invoker, plans, webhooks, tracer
    )
    more = {
        "events": Events(streams, invocation_reader, now_ms=key_cache.now_ms),
        "openfaas_logs": OpenFaasLogs(store, manifest_cache, streams, now_ms=key_cache.now_ms),
        "keys": KeyList(store),
        "key": OneKey(store),
        "session": Session(store, checker, public_url=chosen.public_url),
    }
    _mount(app, {**resources, **more})
    return app


def _resources(
    settings: Settings,
    store: AsyncConnection,
    manifest_cache: ManifestCache,
    invocation_reader: InvocationReader,
    invoker: Invoker,
    plans: CallPlans,
    webhooks: WebhookCallers,
    tracer: Tracer | None,
) -> dict[str, object]:
    policy = parse_policy(settings.callback_allow, allow_loopback=settings.callback_allow_loopback)
    callbacks = AddressCache(policy)
    retrier = BulkRetrier(store, manifest_cache, invoker.admission)
    invoke = InvokeFunction(
        manifest_cache=manifest_cache,
        plans=plans,
        invoker=invoker,
        callbacks=callbacks,
        webhooks=webhooks,
    )
    origin = origin_of(settings.public_url).decode()
    reader = RawCallReader(
        manifest_cache=manifest_cache, plans=plans, webhooks=webhooks, origin=origin
    )
    documents = Documents(manifest_cache)
    dashboard = read_dashboard_files()
    return {
        "raw_function": RawFunction(reader, invoker, longest_wait_s=settings.max_wait),
        "async_function": AsyncFunction(reader, invoker, callbacks=callbacks, store=store),
        "async_function_below": AsyncFunctionBelow(
            reader, invoker, callbacks=callbacks, store=store
        ),
        "function": Function(store, manifest_cache, invoke, webhooks),
        "functions": FunctionList(store, manifest_cache, webhooks),
        "function_batch": InvokeBatch(
            store=store,
            manifest_cache=manifest_cache,
            admission=invoker.admission,
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
        "environments": EnvironmentList(store, manifest_cache),
        "environment": OneEnvironment(store, manifest_cache),
        "relocking": Relocking(store, manifest_cache),
        "quarantine": QuarantineList(store),
        "batch_retry": BatchRetry(store, retrier),
        "invocation": Invocation(store, manifest_cache, invocation_reader),
        "invocations": InvocationList(store),
        "one_retry": OneRetry(
            manifest_cache=manifest_cache,
            plans=plans,
            invocation_reader=invocation_reader,
            invoker=invoker,
        ),
        "bulk_retry": BulkRetry(store, retrier),
        "bulk_cancel": BulkCancel(store),
        "result": Result(invocation_reader),
        "logs": InvocationLogs(store, invocation_reader),
        "deliveries": DeliveryList(store),
        "delivery": OneDelivery(store),
        "redelivery": Redelivery(store),
        "schedules": ScheduleList(store, manifest_cache),
        "schedule": OneSchedule(store, manifest_cache),
        "schedule_firing": ScheduleFiring(store, manifest_cache, max_waiting=settings.max_waiting),
        "livez": Livez(),
        "metrics": Metrics(store, manifest_cache),
        "readyz": Readyz(store, manifest_cache, shows_details=is_open(settings)),
        "openapi_json": OpenApi(documents, form="json", media_type="application/json"),
        "openapi_yaml": OpenApi(documents, form="yaml", media_type="application/yaml"),
        "docs": Docs(),
        "problem": ProblemPage(),
        "home": Home(),
        "statistics": Statistics(StatisticsCache(store)),
        "dashboard": DashboardPage(dashboard),
        "dashboard_asset": DashboardAsset(dashboard),
        "openfaas_health": OpenFaasHealth(),
        "openfaas_info": OpenFaasInfo(),
        "openfaas_functions": OpenFaasFunctions(store, manifest_cache),
        "openfaas_function": OpenFaasFunction(store, manifest_cache),
        "openfaas_scaling": OpenFaasScaling(),
        "openfaas_namespaces": OpenFaasNamespaces(),
        "openfaas_namespace": OpenFaasNamespace(),
        "openfaas_secrets": OpenFaasSecrets(),
    }


def _mount(app: GatewayApplication, resources: dict[str, object]) -> None:
    for route in ROUTES:
        app.add_route(route.path, resources[route.resource])
