"""Asking a system over HTTP."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import psutil
import pytest

from gateway.cli.client.api_client import System, find_system, path_to
from gateway.cli.client.lists import ask_each
from gateway.cli.errors import CommandError, ExitCode
from tests.support.receiver import receiving, status
from tests.support.waiting import eventually

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
CLOSE = "Connection: close"


def test_a_connection_that_was_closed_meanwhile_is_made_anew():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(ANSWER)

        def is_closed() -> bool:
            """Whether the system here knows that the server has closed."""
            mine = psutil.Process().net_connections("tcp")
            found = [one.status for one in mine if one.raddr == listener.getsockname()]
            return found == [psutil.CONN_CLOSE_WAIT]

        thread = threading.Thread(target=serve)
        thread.start()
        system = System(f"http://127.0.0.1:{listener.getsockname()[1]}")

        system.ask("POST", "/a")
        eventually(is_closed)
        answer = system.ask("POST", "/b")
        system.close()

        thread.join()
    assert answer.json() == {}


def test_what_people_type_is_one_part_of_a_path():
    assert path_to("invocations", "a b/../c?d") == "/invocations/a%20b%2F..%2Fc%3Fd"


def test_a_hint_names_the_same_system():
    assert System("http://a:1").hint("logs", "x y") == "penstock logs 'x y'"
    assert find_system("http://a:1").hint("ls") == "penstock ls --url http://a:1"
    assert find_system(None, Path("some where")).hint("ls") == "penstock ls --data 'some where'"


def test_a_variable_names_the_system_unless_a_flag_does(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PENSTOCK_URL", "http://named:1")
    monkeypatch.setenv("PENSTOCK_PORT", "2")

    assert find_system(None).url == "http://named:1"
    assert find_system(None).hint("ls") == "penstock ls"
    assert find_system("http://flag:1").url == "http://flag:1"
    assert find_system(None, Path("some where")).url == "http://127.0.0.1:2"


def test_one_that_is_refused_does_not_keep_the_others(capsys: pytest.CaptureFixture[str]):
    problem = json.dumps({"detail": "No such.", "code": "invocation_not_found"}).encode()
    with receiving() as receiver:
        receiver.behave("/invocations/a", status(404, CLOSE, body=problem))
        receiver.behave("/invocations/b", status(202, CLOSE, body=b'{"id": "b"}'))

        answers, code = ask_each(
            System(receiver.url("")), "DELETE", ["a", "b", "b"], under="invocations"
        )

    assert answers == [{"id": "b"}]
    assert code == ExitCode.REFUSED
    assert capsys.readouterr().err.startswith("penstock: a: No such. (invocation_not_found)")


def test_nobody_there_ends_it_at_once():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    with pytest.raises(CommandError) as caught:
        ask_each(System(url), "DELETE", ["a", "b"], under="invocations")

    assert caught.value.exit_code == ExitCode.UNREACHABLE
