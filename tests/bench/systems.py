"""The table of systems under test: how each is started, and why so.

All get a Redis of their own with the same options (that of `penstock up`: append-only
file, synced every second) on a Unix socket, one web process, two worker processes, and
16 calls at once in all. `notes` is what the page says of a system's configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runtime.store.keys import Keys

SLOTS = 8  # calls at once in each of the two worker processes
WORKERS = 2
_STATISTICS = Keys().build("stats")


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPlan:
    """One system.

    Attributes:
        name: As `--only` and the results name it.
        title: As tables and charts name it.
        kind: "peer", "penstock" or "echo".
        folder: Of its files below `peers`, and of its environment.
        web: Command of the web process; {port} and {bin} are filled in.
        workers: Commands of the worker processes.
        pauses: Whether it can stop taking calls and go on again; else its workers are
            started after the queue was filled.
        finished: The Redis command whose reply is the number of finished calls; empty where
            each leaves a result, a key with a time to live: then those are counted.
        notes: Its configuration, for the page.
        checkout: Another checkout of Penstock to run, with its own environment in `.venv`; None
            is this one.
    """

    name: str
    title: str
    kind: str
    folder: str = ""
    web: tuple[str, ...] = ()
    workers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pauses: bool = False
    finished: tuple[str, ...] = ()
    notes: str = ""
    checkout: Path | None = None

    @property
    def isolation(self) -> str:
        """How a system of ours runs its functions: `process` or `thread`."""
        return self.name.split("-")[1]


def _celery(number: int, pool: str) -> tuple[str, ...]:
    return (
        *("{bin}/celery", "-A", "work", "worker", "-n", f"w{number}@%h", "-l", "warning"),
        *("--pool", pool, "--concurrency", str(SLOTS)),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )


_UVICORN = (
    *("{bin}/gunicorn", "-k", "uvicorn_worker.UvicornWorker", "-w", "1"),
    *("-b", "127.0.0.1:{port}", "--log-level", "warning", "--no-control-socket"),
)
_CELERY_NOTES = (
    "FastAPI under gunicorn with uvicorn-worker (uvloop, httptools), orjson; accepting on the "
    "event loop, which is faster here than in FastAPI's threads, waiting in those. "
    "Waiting is `AsyncResult.get`, which hears of the end by Redis publish/subscribe. "
    "Prefetch multiplier 16, no events, gossip, mingle or heartbeat, acknowledged early "
    "(Celery's default, and its fastest)."
)

SYSTEMS = (
    SystemPlan(
        name="penstock-process",
        title="Penstock, process",
        kind="penstock",
        finished=("HGET", _STATISTICS, "process.noop:succeeded"),
        notes="`penstock up` with one gateway, two workers of eight runners, log level `warning` "
        '(no peer logs calls). Functions with `isolation="process"`, the default.',
    ),
    SystemPlan(
        name="penstock-thread",
        title="Penstock, thread",
        kind="penstock",
        finished=("HGET", _STATISTICS, "thread.noop:succeeded"),
        notes='The same; functions with `isolation="thread"`.',
    ),
    SystemPlan(
        name="bullmq",
        title="Fastify + BullMQ",
        kind="peer",
        folder="bullmq",
        web=("node", "web.js"),
        workers={f"worker-{n}": ("node", "worker.js") for n in range(1, WORKERS + 1)},
        pauses=True,
        finished=("ZCARD", "bull:work:completed"),
        notes="Two Node processes with concurrency 8 each. Waiting is `waitUntilFinished` on "
        "`QueueEvents`. Finished calls are kept, as everywhere here.",
    ),
    SystemPlan(
        name="taskiq",
        title="FastAPI + Taskiq",
        kind="peer",
        folder="taskiq",
        web=(*_UVICORN, "web:app"),
        workers={
            "worker": (
                *("{bin}/taskiq", "worker", "work:broker", "--workers", str(WORKERS)),
                *("--max-async-tasks", str(SLOTS), "--max-threadpool-threads", str(SLOTS)),
                *("--log-level", "WARNING"),
            )
        },
        notes="FastAPI under gunicorn with uvicorn-worker, all asynchronous. `RedisStreamBroker` "
        "reading 100 at a time, `RedisAsyncResultBackend`; acknowledged when the result is saved "
        "(the default). Waiting is `wait_result` asking every 5 ms.",
    ),
    SystemPlan(
        name="dramatiq",
        title="Falcon + Dramatiq",
        kind="peer",
        folder="dramatiq",
        web=(
            *("{bin}/gunicorn", "-k", "gthread", "--threads", "40", "-w", "1"),
            *("-b", "127.0.0.1:{port}", "--log-level", "warning", "--keep-alive", "75"),
            *("--no-control-socket", "web:app"),
        ),
        workers={
            "worker": (
                *(
                    "env",
                    "dramatiq_queue_prefetch=64",
                    "{bin}/dramatiq",
                    "work",
                    "--processes",
                    str(WORKERS),
                ),
                *("--threads", str(SLOTS)),
            )
        },
        notes="Falcon (WSGI) under gunicorn with 40 threads, hiredis. The stock `RedisBroker` with "
        "`Results` in Redis, two processes of eight threads, default middleware, prefetch 64. "
        "Waiting is `get_result(block=True)`.",
    ),
    SystemPlan(
        name="celery-prefork",
        title="FastAPI + Celery, prefork",
        kind="peer",
        folder="celery",
        web=(*_UVICORN, "web:app"),
        workers={f"worker-{n}": _celery(n, "prefork") for n in range(1, WORKERS + 1)},
        notes=_CELERY_NOTES + " Two workers with eight child processes each.",
    ),
    SystemPlan(
        name="celery-threads",
        title="FastAPI + Celery, threads",
        kind="peer",
        folder="celery",
        web=(*_UVICORN, "web:app"),
        workers={f"worker-{n}": _celery(n, "threads") for n in range(1, WORKERS + 1)},
        notes="The same, with two workers of eight threads.",
    ),
    SystemPlan(
        name="echo",
        title="bare Falcon echo, our server",
        kind="echo",
        folder="echo",
        notes="Reads JSON and answers it, by Falcon's own handlers; nothing behind it. The class "
        "of gunicorn worker is Penstock's.",
    ),
    SystemPlan(
        name="echo-bytes",
        title="Falcon echo of bytes, our server",
        kind="echo",
        folder="echo",
        notes="Gives the body back without looking at it.",
    ),
    SystemPlan(
        name="echo-stock",
        title="Falcon echo of bytes, uvicorn-worker",
        kind="echo",
        folder="echo",
        notes="The same on the stock uvicorn-worker.",
    ),
)
BY_NAME = {plan.name: plan for plan in SYSTEMS}
