"""A load client: keeps connections busy with the same requests and counts the answers.

`python -m gateway.cli.load_client` reads an order (JSON) on standard input and writes a
report. A process of its own for `penstock bench` and the benchmarks; one thread, one
selector, no HTTP library, so that it costs little beside what it measures. An answer
counts only with the status and the text that its request must bring.
"""

from __future__ import annotations

import base64
import json
import random
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from gateway.cli.load_order import NUMBER, Order, Report, summarize

_CHUNK_BYTES = 256 * 1024
_LENGTH = b"content-length:"
_BLANK_LINE = b"\r\n\r\n"
_TEXT_LIMIT = 200
_MOST_BROKEN = 1000  # then nobody is there any more


class BrokenAnswerError(Exception):
    """What came is not an answer that this client reads."""


@dataclass(slots=True)
class Connection:
    """One connection: the request it repeats, and the answer it waits for."""

    index: int
    request: bytearray
    marker: bytes
    socket: socket.socket
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)
    whole_bytes: int = 0
    number_at: int = -1

    def send(self, number: int) -> None:
        """Send the request, with its number if it has one; it fits the socket's buffer."""
        if self.number_at >= 0:
            end = self.number_at + len(NUMBER)
            memoryview(self.request)[self.number_at : end] = b"%0*d" % (len(NUMBER), number)
        self.received.clear()
        self.whole_bytes = 0
        self.sent_at = time.perf_counter()
        self.socket.sendall(self.request)

    def take(self) -> bool:
        """Take what has come; return whether the answer is whole.

        Raises:
            BrokenAnswerError: The connection was closed, or an answer has no length.
        """
        data = self.socket.recv(_CHUNK_BYTES)
        if not data:
            raise BrokenAnswerError("the connection was closed")
        self.received += data
        if not self.whole_bytes:
            head_bytes = self.received.find(_BLANK_LINE)
            if head_bytes < 0:
                return False
            self.whole_bytes = head_bytes + len(_BLANK_LINE) + self._length(head_bytes)
        return len(self.received) >= self.whole_bytes

    def _length(self, head_bytes: int) -> int:
        head = bytes(self.received[:head_bytes]).lower()
        start = head.find(_LENGTH)
        if start < 0:
            raise BrokenAnswerError("an answer has no Content-Length")
        return int(head[start + len(_LENGTH) :].split(b"\r\n", 1)[0])


class LoadClient:
    """Carries out one order.

    Args:
        order: What to send, on how many connections, for how long.
    """

    def __init__(self, order: Order) -> None:
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
        self._first_number = time.time_ns() // 1_000  # other clients have other numbers
        self._example = ""
        self._busy = 0

    def run(self) -> Report:
        """Send until the time or the number is reached, then wait for what is under way."""
        began_cpu_s = time.process_time()
        measured_from, measured_to = (
            self._call_one_by_one() if self._order.pause_ms else self._keep_busy()
        )
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
        """Keep every connection busy; return the span in which answers were measured."""
        order = self._order
        began_at = time.perf_counter()
        measured_from = began_at + order.warmup_s
        stop_at = began_at + order.warmup_s + order.seconds
        give_up_at = stop_at + order.patience_s
        most = order.most or sys.maxsize
        measured_to = stop_at
        for index in range(min(order.connections, most)):
            self._begin(index)
        while self._busy and time.perf_counter() < give_up_at:
            for key, _ in self._selector.select(0.1):
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
                    self._judge(connection, now, is_measured=measured_from <= now <= measured_to)
                if now >= stop_at or self._sent >= most or self._broken > _MOST_BROKEN:
                    measured_to = min(measured_to, now)  # from here on fewer are busy
                    self._retire(connection)
                elif is_broken:
                    self._retire(connection)
                    self._begin(connection.index)
                else:
                    self._sent += 1
                    connection.send(self._first_number + self._sent)
        self._broken += self._busy
        return measured_from, measured_to

    def _call_one_by_one(self) -> tuple[float, float]:
        """Call, pause, call …: what one caller meets on an idle system."""
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
                self._judge(
                    connection, time.perf_counter(), is_measured=now >= began_at + order.warmup_s
                )
            time.sleep(self._pauses.uniform(*order.pause_ms) / 1000)
        connection.socket.close()
        return began_at + order.warmup_s, time.perf_counter()

    def _connect(self, index: int) -> Connection:
        order = self._order
        peer = socket.create_connection((order.host, order.port), timeout=order.patience_s)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * _CHUNK_BYTES)
        place = index % len(self._requests)
        request = self._requests[place]
        return Connection(
            index=index,
            request=bytearray(request),
            marker=order.markers[place].encode(),
            socket=peer,
            number_at=request.find(NUMBER.encode()),
        )

    def _judge(self, connection: Connection, now: float, *, is_measured: bool) -> None:
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

    def _keep_example(self, connection: Connection) -> None:
        """Keep the first line and the beginning of the body of the first bad answer."""
        if not self._example:
            head, _, body = bytes(connection.received).partition(_BLANK_LINE)
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

    def _retire(self, connection: Connection) -> None:
        self._busy -= 1
        self._selector.unregister(connection.socket)
        connection.socket.close()


def main() -> int:
    """Carry out the order on standard input."""
    wish: dict[str, Any] = json.load(sys.stdin)
    report = LoadClient(Order(**wish)).run()
    print(json.dumps(report.as_json()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
