"""The plan and the report of a load client, and how to start one in its own process.

Used by the client itself, `penstock bench` and the benchmarks. Only `start` and `read_report`
have side effects.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from runtime.processes.module_path import module_command

NUMBER = "<request number>"  # in a request: replaced by digits that differ in every request


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """What to send, how fast and for how long.

    Attributes:
        requests: Complete HTTP requests in base64. Connection N repeats the Nth one (modulo their
            number), with another number each time if it contains `NUMBER`.
        markers: For each request, a text that its answer must contain.
        statuses: The expected statuses.
        warmup_s: Time at the start in which answers are not measured.
        most: Stop after this number of requests; 0: stop when the time is over.
        pause_ms: Minimum and maximum pause. If given, one caller calls with pauses in between.
        ramp_s: Time over which the callers start, at regular intervals.
        calls_per_s: Calls to send per second at regular intervals, on at most `connections`
            connections; 0: each connection sends again when its answer has arrived.
        patience_s: How long to wait for open answers at the end.
    """

    host: str
    port: int
    requests: Sequence[str]
    markers: Sequence[str]
    statuses: Sequence[int]
    connections: int
    seconds: float
    warmup_s: float = 0.3
    most: int = 0
    pause_ms: tuple[float, float] | tuple[()] = ()
    ramp_s: float = 0.0
    calls_per_s: float = 0.0
    patience_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """The result of a load plan.

    Attributes:
        rate: Correct answers per second while all connections were busy.
        accepted: All correct answers, measured or not.
        refusals: Number of answers by each unexpected status.
        wrong: Answers with an expected status but without the expected text.
        broken: Requests that got no answer.
        example: The beginning of one bad answer.
    """

    rate: float
    measured: int
    accepted: int
    sent: int
    refusals: Mapping[str, int] = field(default_factory=dict)
    wrong: int = 0
    broken: int = 0
    example: str = ""
    p50_ms: float = 0.0
    p90_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0
    client_cpu_s: float = 0.0

    @property
    def errors(self) -> int:
        """Number of requests that did not get a correct answer."""
        return sum(self.refusals.values()) + self.wrong + self.broken

    def as_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return asdict(self)


def encode_request(
    method: str, target: str, body: bytes, headers: Mapping[str, str], *, host: str
) -> str:
    """Return a complete HTTP/1.1 request in base64, as a plan contains it."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return base64.b64encode("\r\n".join([*lines, "", ""]).encode() + body).decode()


def summarize(
    *,
    latencies_ms: list[float],
    elapsed_s: float,
    accepted: int,
    sent: int,
    **rest: Any,  # noqa: ANN401
) -> LoadReport:
    """Return a report with the rate and the percentiles of what was measured."""
    ordered = sorted(latencies_ms)
    return LoadReport(
        rate=len(ordered) / elapsed_s if elapsed_s > 0 else 0.0,
        measured=len(ordered),
        accepted=accepted,
        sent=sent,
        max_ms=ordered[-1] if ordered else 0.0,
        p50_ms=percentile(ordered, 0.5),
        p90_ms=percentile(ordered, 0.9),
        p99_ms=percentile(ordered, 0.99),
        **rest,
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the sorted values lie; 0 if there are none."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def start(order: LoadPlan) -> subprocess.Popen[str]:
    """Start a client in its own process and send it the plan."""
    client = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        module_command("gateway.cli.load.client"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if client.stdin is None:  # pragma: no cover - it was asked for
        raise RuntimeError("the load client has no standard input")
    client.stdin.write(json.dumps(asdict(order)))
    client.stdin.close()
    return client


def read_report(client: subprocess.Popen[str]) -> LoadReport:
    """Return the report of a client; waits until it has ended.

    Raises:
        RuntimeError: The client failed.
    """
    if client.stdout is None:  # pragma: no cover - it was asked for
        raise RuntimeError("the load client has no standard output")
    text = client.stdout.read()
    client.stdout.close()
    if client.wait() != 0:
        raise RuntimeError(f"the load client exited with code {client.returncode}")
    return LoadReport(**json.loads(text))
