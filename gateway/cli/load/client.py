"""A load client: sends prepared requests on open connections and counts the answers.

`python -m gateway.cli.load.client` reads a `LoadPlan` (JSON) on standard input and writes a
`LoadReport`. It runs in its own process for `penstock bench` and the benchmarks. It has one
thread, one selector and no HTTP library, so that it uses little processor time beside the system
it measures. An answer counts only if it has the expected status and contains the expected text.
"""

from __future__ import annotations

import base64
import json
import random
import selectors
import sys
import time
from typing import Any

from gateway.cli.load.connection import (
    BLANK_LINE,
    BrokenAnswerError,
    LoadConnection,
    open_connection,
)
from gateway.cli.load.plan import LoadPlan, LoadReport, summarize

_TEXT_LIMIT = 200
_MOST_BROKEN = 1000  # then the system is gone; stop
_LONGEST_SELECT_S = 0.1


class LoadClient:
    """Runs one load plan.

    Args:
        order: What to send, on how many connections and for how long.
    """

    def __init__(self, order: LoadPlan) -> None:
        self._order = order
        self._requests = [base64.b64decode(text) for text in order.requests]
        self._statuses = {str(status).encode() for status in order.statuses}
        self._selector = selectors.DefaultSelector()
        self._pauses = random.Random(7)  # noqa: S311 - the same pauses in every run
        self._latencies_ms: list[float] = []
        self._refusals: dict[str, int] = {}
        self._wrong = 0
        self._broken = 0
        self._accepted = 0
        self._sent = 0
        self._first_number = time.time_ns() // 1_000  # differs from that of other clients
        self._example = ""
        self._busy = 0

    def run(self) -> LoadReport:
        """Send until the time or the number of requests is reached; then wait for open answers."""
        began_cpu_s = time.process_time()
        if self._order.pause_ms:
            measured_from, measured_to = self._call_one_by_one()
        elif self._order.calls_per_s:
            measured_from, measured_to = self._keep_pace()
        else:
            measured_from, measured_to = self._keep_busy()
        return summarize(
            latencies_ms=self._latencies_ms,
            elapsed_s=measured_to - measured_from,
            accepted=self._accepted,
            sent=self._sent,
            refusals=self._refusals,
            wrong=self._wrong,
            broken=self._broken,
            example=self._example,
            client_cpu_s=time.process_time() - began_cpu_s,
        )

    def _keep_busy(self) -> tuple[float, float]:
        """Keep every connection busy; return the start and end of the measured time."""
        order = self._order
        began_at = now = time.perf_counter()
        measured_from = began_at + order.warmup_s
        stop_at = began_at + order.warmup_s + order.seconds
        give_up_at = stop_at + order.patience_s
        most = order.most or sys.maxsize
        callers = min(order.connections, most)
        begun = 0
        measured_to = stop_at
        while (self._busy or begun < callers) and now < give_up_at:
            # Callers start one after the other over `ramp_s`, or all at once if it is 0.
            while begun < callers and now >= began_at + order.ramp_s * begun / callers:
                self._begin(begun)
                begun += 1
            for key, _ in self._selector.select(self._until_next(began_at, begun, callers)):
                connection = key.data
                is_broken = False
                try:
                    if not connection.take():
                        continue
                except (OSError, BrokenAnswerError) as error:
                    self._note_broken(error)
                    is_broken = True
                now = time.perf_counter()
                if not is_broken:
                    self._decide(connection, now, is_measured=measured_from <= now <= measured_to)
                if now >= stop_at or self._sent >= most or self._broken > _MOST_BROKEN:
                    measured_to = min(measured_to, now)  # from now on, fewer callers are busy
                    self._retire(connection)
                elif is_broken:
                    self._retire(connection)
                    self._begin(connection.index)
                else:
                    self._sent += 1
                    connection.send(self._first_number + self._sent)
            now = time.perf_counter()
        self._broken += self._busy
        return measured_from, measured_to

    def _until_next(self, began_at: float, begun: int, callers: int) -> float:
        """Return how long to wait for answers until the next caller starts, in seconds."""
        if begun >= callers:
            return _LONGEST_SELECT_S
        due_at = began_at + self._order.ramp_s * begun / callers
        return min(_LONGEST_SELECT_S, max(0.0, due_at - time.perf_counter()))

    def _keep_pace(self) -> tuple[float, float]:
        """Send at regular intervals, however many calls are open; return the measured time.

        A free connection is used again, the most recently freed one first. If none is free, a
        new one is opened; if `connections` are open and busy, the call counts as unanswered.
        """
        order = self._order
        began_at = time.perf_counter()
        measured_from = began_at + order.warmup_s
        stop_at = measured_from + order.seconds
        give_up_at = stop_at + order.patience_s
        free: list[LoadConnection] = []
        opened = 0
        due_at = now = began_at
        moments = 0
        while now < give_up_at and (due_at < stop_at or self._busy):
            if now >= due_at and due_at < stop_at:
                if free:
                    self._send_again(free.pop())
                elif opened < order.connections:
                    self._begin(opened)
                    opened += 1
                else:
                    self._sent += 1
                    self._note_broken(OSError(f"all {opened} connections were busy"))
                moments += 1
                due_at = began_at + moments / order.calls_per_s
            else:
                timeout_s = due_at - now if due_at < stop_at else _LONGEST_SELECT_S
                for key, _ in self._selector.select(timeout_s):
                    self._take_paced(key.data, free, measured_from)
            now = time.perf_counter()
        self._broken += self._busy
        for connection in free:
            connection.socket.close()
        return measured_from, stop_at

    def _send_again(self, connection: LoadConnection) -> None:
        self._sent += 1
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._busy += 1
        try:
            connection.send(self._first_number + self._sent)
        except OSError as error:  # the connection was closed while it was free
            self._note_broken(error)
            self._retire(connection)

    def _take_paced(
        self, connection: LoadConnection, free: list[LoadConnection], measured_from: float
    ) -> None:
        """Read what has arrived; a connection whose answer is complete becomes free."""
        try:
            if not connection.take():
                return
        except (OSError, BrokenAnswerError) as error:
            self._note_broken(error)
            self._retire(connection)
            return
        is_measured = connection.sent_at >= measured_from
        self._decide(connection, time.perf_counter(), is_measured=is_measured)
        self._busy -= 1
        self._selector.unregister(connection.socket)
        free.append(connection)

    def _call_one_by_one(self) -> tuple[float, float]:
        """Call, pause, call …: the latency that a single caller sees on an idle system."""
        order = self._order
        connection = self._connect(0)
        began_at = time.perf_counter()
        stop_at = began_at + order.warmup_s + order.seconds
        while (now := time.perf_counter()) < stop_at:
            self._sent += 1
            try:
                connection.send(self._first_number + self._sent)
                while not connection.take():
                    pass
            except (OSError, BrokenAnswerError) as error:
                self._note_broken(error)
                connection.socket.close()
                connection = self._connect(0)
            else:
                self._decide(
                    connection, time.perf_counter(), is_measured=now >= began_at + order.warmup_s
                )
            time.sleep(self._pauses.uniform(*order.pause_ms) / 1000)
        connection.socket.close()
        return began_at + order.warmup_s, time.perf_counter()

    def _connect(self, index: int) -> LoadConnection:
        order = self._order
        place = index % len(self._requests)
        return open_connection(
            (order.host, order.port),
            self._requests[place],
            order.markers[place].encode(),
            index=index,
            timeout_s=order.patience_s,
        )

    def _decide(self, connection: LoadConnection, now: float, *, is_measured: bool) -> None:
        answer = connection.received
        status = bytes(answer[9:12])
        if status not in self._statuses:
            self._refusals[status.decode()] = self._refusals.get(status.decode(), 0) + 1
            self._keep_example(connection)
            return
        if connection.marker not in answer:
            self._wrong += 1
            self._keep_example(connection)
            return
        self._accepted += 1
        if is_measured:
            self._latencies_ms.append((now - connection.sent_at) * 1000)

    def _keep_example(self, connection: LoadConnection) -> None:
        """Keep the status line and the start of the body of the first bad answer."""
        if not self._example:
            head, _, body = bytes(connection.received).partition(BLANK_LINE)
            text = head.split(b"\r\n", 1)[0] + b": " + body[:_TEXT_LIMIT]
            self._example = text.decode(errors="replace")

    def _note_broken(self, error: Exception) -> None:
        self._broken += 1
        self._example = self._example or str(error)

    def _begin(self, index: int) -> None:
        """Open a connection and send its first request."""
        self._sent += 1
        try:
            connection = self._connect(index)
            connection.send(self._first_number + self._sent)
        except OSError as error:
            self._note_broken(error)
            return
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._busy += 1

    def _retire(self, connection: LoadConnection) -> None:
        self._busy -= 1
        self._selector.unregister(connection.socket)
        connection.socket.close()


def main() -> int:
    """Run the plan on standard input."""
    option: dict[str, Any] = json.load(sys.stdin)
    report = LoadClient(LoadPlan(**option)).run()
    print(json.dumps(report.as_json()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
