"""The table of systems under test: how each is started, and why so.

All get a Redis of their own with the same options (that of `penstock up`: append-only
file, synced every second) on a Unix socket, one web process, and as many worker processes and
calls at once as the work says (`sizes.py`). `notes` is what the page says of a configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runtime.store.redis_keys import Keys
from tests.bench.works import Group, Work

_STATISTICS = Keys().build("stats")
_USUAL: frozenset[Group] = frozenset({"usual"})
BEFORE = "-before"


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPlan:
    """One system.

    Attributes:
        name: As `--only` and the results name it.
        title: As tables and charts name it.
        kind: "peer", "penstock" or "echo".
        groups: Which works it is asked to do.
        folder: Of its files below `peers`, and of its environment.
        web: Command of the web process; {port} and {bin} are filled in.
        worker: Command of a worker process; {number}, {workers} and {slots} are filled in, too.
        starts_all: Whether that one command starts all worker processes.
        environment: What its processes are told besides.
        pauses: Whether it can stop taking calls and go on again; else its workers are
            started after the queue was filled.
        finished: The Redis command whose reply is the number of finished calls (<function> is
            filled in); empty where each leaves a result, a key with a time to live: then those
            are counted.
        notes: Its configuration, for the page.
        checks_keys: Whether it is asked the works of production: a peer that checks a key in Redis,
            keeps the trace with the call, repeats the first answer for an idempotency key.
        checkout: Another checkout of Penstock to run, with its own environment in `.venv`; None
            is this one.
    """

    name: str
    title: str
    kind: str
    groups: frozenset[Group] = _USUAL
    folder: str = ""
    web: tuple[str, ...] = ()
    worker: tuple[str, ...] = ()
    starts_all: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    pauses: bool = False
    finished: tuple[str, ...] = ()
    notes: str = ""
    checks_keys: bool = False
    checkout: Path | None = None

    def does(self, work: Work) -> bool:
        """Whether the system is asked to do a work."""
        if self.kind == "echo":
            return work.group == "echo" or work.name == "accept"
        if work.group not in self.groups:
            return False
        if self.kind == "penstock" or not work.shown:
            return True
        return self.checks_keys and work.of_peers

    @property
    def is_before(self) -> bool:
        """Whether it is another checkout of Penstock, usually of the commit before."""
        return self.name.endswith(BEFORE)

    @property
    def isolation(self) -> str:
        """How a system of ours runs its functions: `process` or `thread`."""
        return self.name.split("-")[1]


def _celery(pool: str, slots: str = "{slots}") -> tuple[str, ...]:
    return (
        *("{bin}/celery", "-A", "work", "worker", "-n", "w{number}@%h", "-l", "warning"),
        *("--pool", pool, "--concurrency", slots),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )


_GUNICORN = ("{bin}/gunicorn", "-w", "1", "-b", "127.0.0.1:{port}", "--log-level", "warning")
_UVICORN = (*_GUNICORN, "--no-control-socket", "-k", "uvicorn_worker.UvicornWorker", "web:app")
_CELERY_NOTES = (
    "FastAPI under gunicorn with uvicorn-worker (uvloop, httptools), orjson; accepting on the "
    "event loop, which is faster here than in FastAPI's threads, waiting in those. "
    "Waiting is `AsyncResult.get`, which hears of the end by Redis publish/subscribe. "
    "Prefetch multiplier 16, no events, gossip, mingle or heartbeat, acknowledged early "
    "(Celery's default, and its fastest)."
)
# arq keeps results without a time to live here; whatever else it writes has one, but its queue.
_ARQ_FINISHED = (
    "local keys, mortal = redis.call('INFO', 'keyspace'):match('keys=(%d+),expires=(%d+)') "
    "return (keys or 0) - (mortal or 0) - redis.call('EXISTS', 'arq:queue')"
)

_PENSTOCK = (
    SystemPlan(
        name="penstock-process",
        title="Penstock, process",
        kind="penstock",
        groups=frozenset({"usual", "steady", "waiting", "blocking"}),
        finished=("HGET", _STATISTICS, "<function>:succeeded"),
        notes="`penstock up` with one gateway, workers of eight runners (the default), log level "
        '`warning` (no peer logs calls). Functions with `isolation="process"`, the default; '
        "`per_process` as by default, 100 calls at once in a runner of an `async def`, but 50 for "
        "the function that waits in threads.",
    ),
    SystemPlan(
        name="penstock-thread",
        title="Penstock, thread",
        kind="penstock",
        groups=frozenset({"usual", "steady"}),
        finished=("HGET", _STATISTICS, "<function>:succeeded"),
        notes='The same; functions with `isolation="thread"`.',
    ),
)
_BEFORE = tuple(
    SystemPlan(
        name=plan.name + BEFORE,
        title=f"{plan.title}, before",
        kind="penstock",
        groups=frozenset({"usual", "steady"}),
        finished=plan.finished,
        notes="The same, of the commit before.",
    )
    for plan in _PENSTOCK
)
_PEERS = (
    SystemPlan(
        name="bullmq",
        title="Fastify + BullMQ",
        kind="peer",
        groups=frozenset({"usual", "steady", "waiting"}),
        folder="bullmq",
        checks_keys=True,
        web=("node", "web.js"),
        worker=("node", "worker.js"),
        pauses=True,
        finished=("ZCARD", "bull:work:completed"),
        notes="Node processes with `concurrency` 8 each, 1,000 for functions that wait. Waiting is "
        "`waitUntilFinished` on `QueueEvents`. Finished calls are kept, as everywhere here.",
    ),
    SystemPlan(
        name="taskiq",
        title="FastAPI + Taskiq",
        kind="peer",
        groups=frozenset({"usual", "waiting"}),
        folder="taskiq",
        web=_UVICORN,
        worker=(
            *("{bin}/taskiq", "worker", "work:broker", "--workers", "{workers}"),
            *("--max-async-tasks", "{slots}", "--max-threadpool-threads", "8"),
            *("--log-level", "WARNING"),
        ),
        starts_all=True,
        notes="FastAPI under gunicorn with uvicorn-worker, all asynchronous. `RedisStreamBroker` "
        "reading 100 at a time, `RedisAsyncResultBackend`; acknowledged when the result is saved "
        "(the default). `--max-async-tasks` 8, 1,000 for functions that wait. Waiting is "
        "`wait_result` asking every 5 ms, of 1,000 callers every 550 ms.",
    ),
    SystemPlan(
        name="arq",
        title="FastAPI + arq",
        kind="peer",
        groups=frozenset({"usual", "waiting"}),
        folder="arq",
        web=_UVICORN,
        worker=(
            *("{bin}/arq", "work.WorkerSettings"),
            *("--custom-log-dict", "work.LOGGING"),
        ),
        finished=("EVAL", _ARQ_FINISHED, "0"),
        notes="FastAPI under gunicorn with uvicorn-worker, all asynchronous; worker on uvloop, "
        "`max_jobs` 8, 1,000 for functions that wait, looking for work every 10 ms, of 1,000 "
        "every 100 ms. Waiting is `Job.result` asking every 5 ms, of 1,000 callers every 550 ms. "
        "arq is in maintenance only since October 2025.",
    ),
    SystemPlan(
        name="dramatiq",
        title="Falcon + Dramatiq",
        kind="peer",
        folder="dramatiq",
        web=(
            *_GUNICORN,
            *("-k", "gthread", "--threads", "40", "--keep-alive", "75", "--no-control-socket"),
            "web:app",
        ),
        worker=("{bin}/dramatiq", "work", "--processes", "{workers}", "--threads", "{slots}"),
        starts_all=True,
        environment={"dramatiq_queue_prefetch": "64"},
        notes="Falcon (WSGI) under gunicorn with 40 threads, hiredis. The stock `RedisBroker` with "
        "`Results` in Redis, two processes of eight threads, default middleware, prefetch 64. "
        "Waiting is `get_result(block=True)`.",
    ),
    SystemPlan(
        name="celery-prefork",
        title="FastAPI + Celery, prefork",
        kind="peer",
        folder="celery",
        checks_keys=True,
        web=_UVICORN,
        worker=_celery("prefork"),
        notes=_CELERY_NOTES + " Two workers with eight child processes each.",
    ),
    SystemPlan(
        name="celery-threads",
        title="FastAPI + Celery, threads",
        kind="peer",
        groups=frozenset({"usual", "blocking"}),
        folder="celery",
        checks_keys=True,
        web=_UVICORN,
        worker=_celery("threads"),
        notes="The same, with two workers of eight threads, of 50 for functions that wait.",
    ),
    SystemPlan(
        name="celery-threads-400",
        title="FastAPI + Celery, 400 threads",
        kind="peer",
        groups=frozenset({"blocking"}),
        folder="celery",
        web=_UVICORN,
        worker=_celery("threads", "400"),
        environment={"BENCH_PREFETCH": "2"},
        notes="The same, with as many threads in all as Penstock may use: twice 400; prefetch 2.",
    ),
    SystemPlan(
        name="celery-gevent",
        title="Falcon + Celery, gevent",
        kind="peer",
        groups=frozenset({"waiting", "blocking"}),
        folder="celery",
        web=(
            *_GUNICORN,
            *("-k", "gevent", "--worker-connections", "2000", "--keep-alive", "75"),
            *("--no-control-socket", "gevent_web:app"),
        ),
        worker=_celery("gevent", "1000"),
        environment={"BENCH_PREFETCH": "1", "BENCH_CONNECTIONS": "2000"},
        notes="Falcon (WSGI) under gunicorn with its gevent worker, so that a caller who waits "
        "costs a greenlet and no thread. `--pool gevent --concurrency 1000`, prefetch 1.",
    ),
)
_ECHOES = (
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
SYSTEMS = (*_PENSTOCK, *_BEFORE, *_PEERS, *_ECHOES)
BY_NAME = {plan.name: plan for plan in SYSTEMS}
