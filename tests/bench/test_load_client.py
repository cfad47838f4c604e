"""The load client: what it counts is what a server answered."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread, Timer

import pytest

from gateway.cli.load.client import LoadClient
from gateway.cli.load.plan import LoadPlan, encode_request, percentile

Answer = tuple[int, bytes]


@contextmanager
def serving(answer: Callable[[bytes], Answer | None]) -> Iterator[int]:
    """Answer every POST; None closes the connection instead. Yields the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # head and body in one piece, which spares 40 ms of delayed answers

        def do_POST(self) -> None:
            found = answer(self.rfile.read(int(self.headers["Content-Length"])))
            if found is None:
                self.close_connection = True
                return
            self.send_response(found[0])
            self.send_header("Content-Length", str(len(found[1])))
            self.end_headers()
            self.wfile.write(found[1])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def order_of(port: int, **changes: object) -> LoadPlan:
    bodies = [b"first", b"second"]
    fields = {
        "host": "127.0.0.1",
        "port": port,
        "requests": [encode_request("POST", "/", body, {}, host="here") for body in bodies],
        "markers": [body.decode() for body in bodies],
        "statuses": [200],
        "connections": 2,
        "seconds": 5.0,
        "warmup_s": 0.0,
        "most": 40,
        "patience_s": 2.0,
    }
    return LoadPlan(**(fields | changes))


def test_every_right_answer_is_counted_once():
    with serving(lambda body: (200, body)) as port:
        report = LoadClient(order_of(port)).run()

    assert (report.sent, report.accepted, report.errors) == (40, 40, 0)
    assert report.rate > 0
    assert 0 < report.p50_ms <= report.p99_ms <= report.max_ms


def test_another_caller_s_answer_is_wrong():
    with serving(lambda _: (200, b"first")) as port:
        report = LoadClient(order_of(port)).run()

    assert report.wrong > 0
    assert report.accepted + report.wrong == report.sent == 40
    assert "first" in report.example


def test_another_status_is_counted_by_its_number():
    statuses = itertools.cycle((200, 503))

    with serving(lambda body: (next(statuses), body)) as port:
        report = LoadClient(order_of(port)).run()

    assert report.refusals == {"503": 20}
    assert report.accepted == 20


def test_a_closed_connection_is_an_error_and_is_opened_again():
    numbers = itertools.count(1)

    with serving(lambda body: None if next(numbers) == 5 else (200, body)) as port:
        report = LoadClient(order_of(port)).run()

    assert (report.broken, report.accepted) == (1, 39)


def test_an_answer_in_many_pieces_is_taken_whole():
    large = b"x" * 1_000_000

    with serving(lambda body: (200, large + body)) as port:
        report = LoadClient(order_of(port, most=6)).run()

    assert (report.accepted, report.errors) == (6, 0)


def test_one_caller_pauses_between_its_calls():
    with serving(lambda body: (200, body)) as port:
        report = LoadClient(order_of(port, seconds=0.2, pause_ms=(20, 40), most=0)).run()

    assert 3 <= report.accepted <= 10
    assert report.errors == 0


def test_callers_begin_one_after_the_other_over_the_ramp():
    began_at = time.monotonic()
    first_at: dict[bytes, float] = {}

    def answer(body: bytes) -> Answer:
        first_at.setdefault(body, time.monotonic() - began_at)
        return 200, body

    with serving(answer) as port:
        report = LoadClient(order_of(port, ramp_s=0.4, seconds=0.5, most=0)).run()

    assert report.errors == 0
    assert first_at[b"second"] - first_at[b"first"] >= 0.1


def test_calls_are_sent_at_even_moments_whatever_is_under_way():
    release = Event()

    def answer(body: bytes) -> Answer:
        release.wait(5)
        return 200, body

    with serving(answer) as port:
        Timer(0.3, release.set).start()
        report = LoadClient(
            order_of(port, calls_per_s=100, seconds=0.5, connections=60, most=0)
        ).run()

    assert report.errors == 0
    assert report.accepted == report.sent == 50
    assert report.max_ms >= 200


def test_a_moment_at_which_all_connections_are_busy_is_an_error():
    release = Event()

    def answer(body: bytes) -> Answer:
        release.wait(5)
        return 200, body

    with serving(answer) as port:
        Timer(1.5, release.set).start()
        report = LoadClient(
            order_of(port, calls_per_s=100, seconds=0.2, connections=10, most=0)
        ).run()

    assert (report.sent, report.accepted, report.broken) == (20, 10, 10)
    assert report.example == "all 10 connections were busy"


@pytest.mark.parametrize(("share", "value"), [(0.5, 51), (0.99, 100), (1.0, 100)])
def test_a_percentile_is_one_of_the_values(share: float, value: int):
    assert percentile(range(1, 101), share) == value
    assert percentile([], share) == 0
