"""A running system under test: started from its plan, asked over HTTP, stopped.

Penstock is started as its users do, by `penstock up`; a peer as its plan says. The rule
it protects: every system gets the same Redis, and is asked in the same way.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from gateway.cli.load.plan import encode_request
from gateway.cli.up.embedded_redis import find_server, redis_command
from runtime.errors import StoreError
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command
from tests.bench.installing import PEERS, ROOT, install
from tests.bench.parts import Parts, clean_environment, free_port
from tests.bench.shown import Shown, headers_of, query_of
from tests.bench.sizes import RUNNERS, USUAL, Sizes
from tests.bench.slow_server import is_answered
from tests.bench.systems import SystemPlan
from tests.bench.works import body_of

_JSON = {"Content-Type": "application/json"}
_FUNCTIONS = Path(__file__).parent / "functions"
_ANSWER_LIMIT_S = 40.0
_ACCEPTED = 202
_MORTAL_KEYS = re.compile(rb"expires=(\d+)")
_OK = 200
_CREATED = 201
_NEW_KEY = b'{"name": "bench", "scopes": ["invoke:*"]}'


class Running:
    """One system that runs.

    Attributes:
        plan: What it is.
        parts: Its processes.
        helpers: Processes that are no part of it: the slow server that functions ask.
        port: Where it listens.

    Args:
        plan: What it is.
        folder: A private folder.
        gateways: How many web processes, of Penstock.
        sizes: How many worker processes, and how many calls at once in each.
    """

    def __init__(
        self, plan: SystemPlan, folder: Path, *, gateways: int = 1, sizes: Sizes = USUAL
    ) -> None:
        self.plan = plan
        self._gateways = gateways
        self._sizes = sizes
        self.parts = Parts(folder)
        self.helpers = Parts(folder)
        self.port = free_port()
        self._slow_port = free_port()
        self.started_in_s = 0.0
        self._socket = folder / "redis.sock"
        self._connection = BlockingConnection(f"unix://{self._socket}")
        self._key = "a-key-of-43-letters-and-digits-as-ours-have"
        self._environment = clean_environment() | {
            "BENCH_REDIS_SOCKET": str(self._socket),
            "BENCH_PORT": str(self.port),
            "BENCH_SLOTS": str(sizes.slots),
            "BENCH_ASKS_EVERY_MS": str(sizes.asks_every_ms),
            "PYTHONPATH": str(ROOT),
            "NODE_ENV": "production",
        }

    def start(self) -> None:
        """Start everything and wait until a call comes back."""
        began_at = time.monotonic()
        if self.plan.kind != "echo":
            self._start_redis()
        if self.plan.kind == "penstock":
            self._start_penstock()
        elif self.plan.kind == "echo":
            self._start_echo()
        else:
            self._start_part("web", self.plan.web)
            self.start_workers()
        self.parts.await_ready(self._answers)
        if self.plan.kind == "penstock":
            self._key = json.loads(self._ask("POST", "/keys", _NEW_KEY, status=_CREATED))["key"]
        elif self.plan.checks_keys:
            self.run_command("SET", f"key:{self._key}", "bench")
        self.started_in_s = time.monotonic() - began_at

    def stop(self) -> None:
        """Stop everything; what was waiting is forgotten."""
        self._connection.close()
        self.helpers.stop()
        self.parts.stop([name for name in self.parts.running if name != "redis"])
        self.parts.stop()

    def start_workers(self) -> None:
        """Start a peer's workers."""
        for number in range(1, 2 if self.plan.starts_all else self._sizes.workers + 1):
            self._start_part(f"worker-{number}", self.plan.worker, number=number)

    def start_slow_server(self) -> None:
        """Start the server that functions ask which wait for an answer, unless it runs."""
        if "slow-server" in self.helpers.running:
            return
        command = (sys.executable, "-m", "tests.bench.slow_server", str(self._slow_port))
        self.helpers.start("slow-server", command, cwd=ROOT, env=self._environment)
        self.helpers.await_ready(lambda: is_answered(self._slow_port))

    def hold(self) -> None:
        """Let nothing run until `release`."""
        if self.plan.kind == "penstock":
            self._ask("PATCH", "/queues/default", b'{"paused": true}')
        elif self.plan.pauses:
            self._ask("POST", "/pause", b"{}")
        else:
            self.parts.stop([name for name in self.parts.running if name.startswith("worker-")])

    def release(self) -> None:
        """Let everything run again."""
        if self.plan.kind == "penstock":
            self._ask("PATCH", "/queues/default", b'{"paused": false}')
        elif self.plan.pauses:
            self._ask("POST", "/resume", b"{}")
        else:
            self.start_workers()

    def finished(self, function: str) -> int:
        """Return how many calls have ended well, as the system itself keeps it.

        Of that function where it keeps them apart, else of all.
        """
        if self.plan.finished:
            name = self._name_of(function)
            words = (word.replace("<function>", name) for word in self.plan.finished)
            return int(self.run_command(*words) or 0)
        found = _MORTAL_KEYS.search(self.run_command("INFO", "keyspace"))
        return int(found[1]) if found else 0

    def run_command(self, *words: str) -> Any:
        """Run a command on the system's own Redis."""
        return self._connection.run(Command(words, lambda reply: reply))

    def request(
        self, function: str, connection: int, *, waits: bool, shown: frozenset[Shown] = frozenset()
    ) -> tuple[str, str]:
        """Return a connection's request, and what its answer must contain."""
        slow_url = f"http://127.0.0.1:{self._slow_port}/"
        body, marker = body_of(function, connection, slow_url=slow_url)
        headers = headers_of(shown, self._key)
        if self.plan.kind == "penstock":
            target = f"/functions/{self._name_of(function)}{query_of(shown)}"
            if waits:
                headers["Prefer"] = "wait=30"
        else:
            target = f"{'/keyed' if shown else ''}/{'wait' if waits else 'accept'}/{function}"
        if self.plan.kind == "echo":
            marker = body.decode()
        elif not waits:
            marker = '"id":"'
        return encode_request("POST", target, body, headers, host="127.0.0.1"), marker

    def _name_of(self, function: str) -> str:
        is_ours = self.plan.kind == "penstock"
        return f"{self.plan.isolation}.{function}" if is_ours else function

    def _start_redis(self) -> None:
        (self.parts.folder / "redis").mkdir(exist_ok=True)
        command = redis_command(find_server().program, self.parts.folder, self._socket)
        self.parts.start("redis", command, cwd=self.parts.folder, env=self._environment)
        self.parts.await_ready(self._redis_answers)

    def _start_penstock(self) -> None:
        home = self.plan.checkout or ROOT
        python = home / ".venv/bin/python" if self.plan.checkout else sys.executable
        command = (
            *(python, "-m", "gateway.cli.main", "up", "--port", str(self.port)),
            *("--data", self.parts.folder / "data", "--functions", _FUNCTIONS),
            *("--redis", f"unix://{self._socket}", "--runners", str(RUNNERS)),
            *("--gateways", str(self._gateways), "--workers", str(self._sizes.workers)),
        )
        environment = self._environment | {
            "PENSTOCK_LOG_LEVEL": "warning",
            "PYTHONPATH": str(home),
        }
        self.parts.start("penstock", command, cwd=self.parts.folder, env=environment)

    def _start_echo(self) -> None:
        own = "gateway.serving.gunicorn_worker.GatewayWorker"
        worker_class, application = {
            "echo": (own, "web:media_app"),
            "echo-bytes": (own, "web:gateway_app"),
            "echo-stock": ("uvicorn_worker.UvicornWorker", "web:app"),
        }[self.plan.name]
        command = (
            *(sys.executable, "-m", "gunicorn", "-k", worker_class, "-w", "1"),
            *("-b", f"127.0.0.1:{self.port}", "--log-level", "warning"),
            *("--no-control-socket", application),
        )
        self.parts.start("web", command, cwd=PEERS / "echo", env=self._environment)

    def _start_part(self, name: str, command: tuple[str, ...], *, number: int = 0) -> None:
        programs = install(self.plan.folder)
        source = PEERS / self.plan.folder
        is_node = not (source / "requirements.txt").exists()
        reported = {"bin": programs, "port": self.port, "number": number, **asdict(self._sizes)}
        words = [word.format(**reported) for word in command]
        self.parts.start(
            name,
            words,
            cwd=programs.parent if is_node else source,
            env=self._environment
            | {"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
            | dict(self.plan.environment),
        )

    def _redis_answers(self) -> bool:
        try:
            return bool(self.run_command("PING"))
        except StoreError:
            return False

    def _answers(self) -> bool:
        """Whether a call goes the whole way."""
        body, _ = body_of("noop", 0)
        try:
            if self.plan.kind == "penstock":
                target = f"/functions/{self._name_of('noop')}"
                status = self._send("POST", target, body, {"Prefer": "wait=10"})
                return status == _OK
            if self.plan.kind == "echo":
                return self._send("POST", "/accept/noop", body, {}) == _ACCEPTED
            return self._send("POST", "/wait/noop", body, {}) == _OK
        except (OSError, HTTPException):
            return False

    def _ask(self, method: str, target: str, body: bytes, *, status: int = _OK) -> bytes:
        answered, content = self._exchange(method, target, body, {})
        if answered != status:
            raise RuntimeError(f"{self.plan.name}: {method} {target} was answered {answered}")
        return content

    def _send(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> int:
        return self._exchange(method, target, body, headers)[0]

    def _exchange(
        self, method: str, target: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_LIMIT_S)
        try:
            connection.request(method, target, body, _JSON | headers)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, content
        finally:
            connection.close()


@contextmanager
def running(
    plan: SystemPlan, folder: Path, *, gateways: int = 1, sizes: Sizes = USUAL
) -> Iterator[Running]:
    """Start a system; stop it at the end, whatever happens."""
    system = Running(plan, folder, gateways=gateways, sizes=sizes)
    try:
        system.start()
        yield system
    finally:
        system.stop()
