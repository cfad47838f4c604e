"""What a load client is told and what it reports; and starting one in its own process.

Pure but for `start`. Used by the client itself, `penstock bench` and the benchmarks.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from runtime.processes.module_path import module_command

NUMBER = "<request number>"  # in a request: replaced by as many digits, others each time


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """What to send.

    Attributes:
        requests: Whole HTTP requests, base64; connection N sends the Nth again and again, and
            where it holds `NUMBER` with another number each time.
        markers: For each request what its answer must contain.
        statuses: Which statuses are right.
        warmup_s: How long answers are not measured yet.
        most: Stop after so many requests; 0 means at the end of the time.
        pause_ms: From and to; then one caller calls one by one with pauses between.
        ramp_s: Over how long the callers begin, one after the other at even moments.
        calls_per_s: Send so many a second at even moments, whatever is under way, on at most
            `connections`; 0 means that each connection sends when its answer has come.
        patience_s: How long to wait for what is under way at the end.
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
    """What came of an order.

    Attributes:
        rate: Right answers per second while all connections were busy.
        accepted: All right answers, measured or not.
        refusals: How often each wrong status came.
        wrong: Answers with the right status and the wrong text.
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
        """How many requests were not answered as they must be."""
        return sum(self.refusals.values()) + self.wrong + self.broken

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON carries it."""
        return asdict(self)


def encode_request(
    method: str, target: str, body: bytes, headers: Mapping[str, str], *, host: str
) -> str:
    """Return a whole HTTP/1.1 request as an order carries it."""
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
    """Return the report of what was measured."""
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
    """Return the value below which `share` of the ordered values lie; 0 for none."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def start(order: LoadPlan) -> subprocess.Popen[str]:
    """Start a client on the order, in a process of its own."""
    client = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        module_command("gateway.cli.load.client"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if client.stdin is None:  # pragma: no cover - it was asked for
        raise RuntimeError("no way to the client")
    client.stdin.write(json.dumps(asdict(order)))
    client.stdin.close()
    return client


def read_report(client: subprocess.Popen[str]) -> LoadReport:
    """Return what a client that has ended reports.

    Raises:
        RuntimeError: It could not carry out its order.
    """
    if client.stdout is None:  # pragma: no cover - it was asked for
        raise RuntimeError("no way from the client")
    text = client.stdout.read()
    client.stdout.close()
    if client.wait() != 0:
        raise RuntimeError(f"the load client ended with {client.returncode}")
    return LoadReport(**json.loads(text))
