"""The entry point of a worker process: read settings, build the parts, handle signals.

python -m runtime.worker
"""

from __future__ import annotations

import signal
import sys
from types import FrameType

import structlog

from runtime.callbacks.config import read_rules
from runtime.callbacks.deliverer import Deliverer
from runtime.dependencies.setup import build_provision
from runtime.errors import PenstockError, SettingsError
from runtime.execution.runner_process import PRELOAD
from runtime.logs import configure_logs
from runtime.processes.environment import clean_environment, hide_from_own_user
from runtime.processes.fork_server import ForkServer
from runtime.registry.child_load import LOADING
from runtime.registry.lock_store import RedisLockStore
from runtime.registry.publisher import Publisher
from runtime.settings import Settings, read_environment, read_settings, unknown_variables
from runtime.store.blocking_connection import BlockingConnection
from runtime.telemetry.tracer_setup import open_tracer
from runtime.worker.process import WorkerProcess

_log = structlog.get_logger(__name__)


def main() -> int:
    """Run a worker until SIGINT or SIGTERM; return the exit code."""
    hide_from_own_user()
    worker: WorkerProcess | None = None
    is_stopped = False

    def request_stop(signum: int, frame: FrameType | None) -> None:
        nonlocal is_stopped
        del signum, frame
        is_stopped = True
        if worker is not None:
            worker.request_stop()

    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    try:
        settings = read_settings()
        if not settings.redis:
            raise SettingsError("PENSTOCK_REDIS: a worker needs the URL of a Redis server")
        configure_logs(settings.log_level, settings.log_format)
        for reported in unknown_variables(for_functions=settings.function_env):
            _log.warning("variable_unknown", detail=reported)
        worker = build(settings)
    except PenstockError as error:
        sys.stderr.write(f"penstock worker: {error}\n")
        return 1
    if is_stopped:  # a signal came while `worker` was still None
        worker.request_stop()
    worker.run()
    return 0


def build(settings: Settings) -> WorkerProcess:
    """Build a worker. The fork server starts first, while this process has one thread."""
    environment = clean_environment(read_environment(), settings.function_env)
    fork_server = ForkServer(preload=PRELOAD, environment=environment)
    fork_server.start()
    provision = build_provision(
        settings,
        locks=RedisLockStore(BlockingConnection(settings.redis)),
        preload=(*PRELOAD, LOADING),
        process_environment=read_environment(),
        function_environment=environment,
    )
    publisher = Publisher(
        BlockingConnection(settings.redis),
        fork_server,
        settings.functions,
        load_timeout_s=settings.load_timeout_s,
        is_certain=settings.publish == "always",
        provision=provision,
    )
    tracer = open_tracer(read_environment(), part="worker")
    return WorkerProcess(
        settings,
        fork_server=fork_server,
        publisher=publisher,
        provision=provision,
        deliverer=Deliverer(settings.redis, read_rules(settings, tracer)),
        tracer=tracer,
    )
