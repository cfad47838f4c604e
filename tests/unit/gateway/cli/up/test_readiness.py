"""When `up` says that it is ready."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway.cli.up.readiness import Probe, Readiness, count_function_files


class StandInGateway(ThreadingHTTPServer):
    """Says what a gateway would say: which functions there are, and whether one works."""

    names: tuple[str, ...] = ()
    state = ""
    works = False


class Answers(BaseHTTPRequestHandler):
    """Answers as its server was told to."""

    server: StandInGateway

    def do_GET(self) -> None:
        items = [{"name": name, "state": self.server.state} for name in self.server.names]
        is_ready = self.path != "/readyz" or self.server.works
        self.send_response(200 if is_ready else 503)
        self.end_headers()
        self.wfile.write(json.dumps({"items": items}).encode())

    def log_message(self, *words: object) -> None: ...


@pytest.fixture
def gateway() -> Iterator[StandInGateway]:
    with StandInGateway(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def readiness(gateway: StandInGateway, folder: Path, now: list[float]) -> Readiness:
    return Readiness(Probe("127.0.0.1", gateway.server_address[1]), folder, lambda: now[0])


def touch_files(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_it_waits_for_every_file_but_not_for_long(gateway: StandInGateway, tmp_path: Path):
    now = [0.0]
    is_ready = readiness(gateway, touch_files(tmp_path, "a.py", "b.py"), now)

    before = is_ready()
    gateway.names, gateway.works = ("a",), True
    with_one = is_ready()
    gateway.names = ("a", "b")
    with_all = is_ready()
    gateway.names = ("a",)
    now[0] = 1.0
    later = is_ready()

    assert (before, with_one, with_all, later) == (False, False, True, True)


def test_broken_files_only_are_no_reason_to_wait_for_ever(gateway: StandInGateway, tmp_path: Path):
    now = [0.0]
    is_ready = readiness(gateway, touch_files(tmp_path, "a.py"), now)
    gateway.names = ("a",)

    at_once = is_ready()
    now[0] = 1.0

    assert (at_once, is_ready()) == (False, True)


def test_a_file_that_is_still_being_loaded_is(gateway: StandInGateway, tmp_path: Path):
    now = [0.0]
    is_ready = readiness(gateway, touch_files(tmp_path, "a.py"), now)

    is_ready()
    now[0] = 5.0
    listed_nowhere = is_ready()
    gateway.names, gateway.state = ("a",), "loading"
    listed = is_ready()

    assert not listed_nowhere
    assert not listed


def test_an_empty_folder_is_ready_soon(gateway: StandInGateway, tmp_path: Path):
    now = [0.0]
    is_ready = readiness(gateway, touch_files(tmp_path, "_helper.py"), now)

    is_ready()
    now[0] = 1.0

    assert is_ready()


def test_nobody_there_is_not_ready(tmp_path: Path):
    assert not Readiness(Probe("127.0.0.1", 1), tmp_path, lambda: 0.0)()


def test_helpers_are_not_counted(tmp_path: Path):
    touch_files(tmp_path, "a.py", "b/c.py", "_d.py", "b/_e.py", "_f/g.py", ".h/i.py", "j.txt")

    assert count_function_files(tmp_path) == 2
