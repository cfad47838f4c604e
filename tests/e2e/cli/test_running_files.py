"""`penstock run`: a function on the command line, without a system."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.errors import ExitCode
from gateway.cli.main import main
from tests.support.commands import COMMAND, clean_environment, penstock
from tests.support.wheel_index import make_companions, make_index, only_pip

MANY = """
import os, signal, sys, time
from collections.abc import Iterator
from penstock import Context, Request, Retry, function
import _rates

@function()
def rate(number: int, *, ctx: Context) -> Iterator[dict[str, int]]:
    for count in range(1, 3):
        print("counted", count)
        ctx.log.info("attempt %d", ctx.attempt)
        ctx.progress(count, 2, "counting")
        ctx.emit({"count": count})
        yield {"rate": number * _rates.RATE}

@function()
def fail(how: str) -> None:
    if how == "retry":
        raise Retry("busy", after="5m")
    if how == "leave":
        os._exit(7)
    raise ValueError("no")

@function()
def sleep() -> None:
    try:
        print("good night")
        time.sleep(60)
    finally:
        print("cleaned up")

@function()
def receive(request: Request) -> list[str]:
    return [request.method, request.path, request.headers["X-Event"], request.text]

@function()
def backwards(content: bytes) -> bytes:
    return content[::-1]

@function()
def environment() -> list[str]:
    return sorted(set(os.environ) & {"SHOWN", "HIDDEN"})
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project") / "functions"
    (root / "billing").mkdir(parents=True)
    (root / "_rates.py").write_text("RATE = 3\n")
    (root / "billing" / "many.py").write_text(MANY)
    return root / "billing" / "many.py"


def run(written: str, *words: str | Path, **more) -> subprocess.CompletedProcess:
    """Run a function that ends well; return what the command has written."""
    answer = penstock("run", written, *words, **more)
    assert answer.returncode == ExitCode.OK, answer.stderr
    return answer


def test_items_come_on_standard_output_and_everything_else_on_standard_error(many: Path):
    answer = run(f"{many}:rate", "number=2")

    assert answer.stdout == '{"rate": 6}\n{"rate": 6}\n'
    assert sorted(answer.stderr.splitlines()) == [
        "INFO penstock.function: attempt 1",
        "INFO penstock.function: attempt 1",
        "counted 1",
        "counted 2",
        'event: {"count": 1}',
        'event: {"count": 2}',
        "progress: 1/2 counting",
        "progress: 2/2 counting",
    ]


def test_machines_get_what_an_invocation_would_show(many: Path):
    ended = json.loads(run(f"{many}:rate", "number=2", "--json").stdout)
    failed = penstock("run", f"{many}:fail", "how=retry", "--json")

    assert ended["function"] == "billing.rate"
    assert (ended["status"], ended["result"]) == ("succeeded", [{"rate": 6}, {"rate": 6}])
    assert ended["progress"] == {"done": 2, "total": 2, "message": "counting"}
    assert failed.returncode == ExitCode.FAILED
    assert json.loads(failed.stdout)["status"] == "retrying"
    assert json.loads(failed.stdout)["error"]["exception_type"] == "Retry"


def test_a_request_is_what_the_command_line_says(many: Path):
    words = ("--data", "hello", "-H", "X-Event: paid", "--method", "put")

    answer = run(f"{many}:receive", *words)

    assert json.loads(answer.stdout) == ["PUT", "/", "paid", "hello"]


def test_bytes_go_in_and_out_as_they_are(many: Path, tmp_path: Path):
    (tmp_path / "in").write_bytes(b"\xff\0ab")

    run(f"{many}:backwards", "--data", f"@{tmp_path / 'in'}", "-o", tmp_path / "out")
    piped = run(f"{many}:backwards", f"content=@{tmp_path / 'in'}", text=False)

    assert (tmp_path / "out").read_bytes() == piped.stdout == b"ba\0\xff"


def test_a_function_sees_the_variables_that_a_system_would_show_it(many: Path):
    given = {"SHOWN": "1", "HIDDEN": "1", "PENSTOCK_FUNCTION_ENV": "SHOWN"}

    assert json.loads(run(f"{many}:environment", environment=given).stdout) == ["SHOWN"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((":fail", "how=x"), ExitCode.FAILED, "penstock: billing.fail failed: exception: no"),
        ((":fail", "how=leave"), ExitCode.FAILED, "exited with code 7"),
        ((":rate", "number=x"), ExitCode.REFUSED, '/number: the value is not of type "integer"'),
        ((":rate", "--data", "{"), ExitCode.REFUSED, "invalid_json"),
        ((":nothing",), ExitCode.REFUSED, "publishes no 'nothing'"),
        (("x",), ExitCode.USAGE, "cannot read"),
    ],
)
def test_what_goes_wrong_has_the_exit_code_of_invoke(
    many: Path,
    words: tuple[str, ...],
    code: ExitCode,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    monkeypatch.setattr(sys, "argv", ["penstock", "run", f"{many}{words[0]}", *words[1:]])

    with pytest.raises(SystemExit) as ended:
        main()  # in this process: only the function gets one of its own

    shown = capfd.readouterr()
    assert ended.value.code == code, shown.err
    assert said in shown.err
    assert shown.out == ""


def test_an_interrupt_stops_the_function_and_lets_it_clean_up(many: Path):
    command = subprocess.Popen(
        [*COMMAND, "run", f"{many}:sleep"],
        stderr=subprocess.PIPE,
        bufsize=0,
        env=clean_environment(),
        process_group=0,
    )
    assert command.stderr is not None
    assert command.stderr.readline() == b"good night\n"

    os.killpg(command.pid, signal.SIGINT)  # as a terminal does
    _, said = command.communicate(timeout=10)

    assert command.returncode == ExitCode.INTERRUPTED
    assert b"cleaned up" in said


def test_packages_of_the_file_are_resolved_and_installed_once(tmp_path: Path):
    (tmp_path / "companions").mkdir()
    index = make_index(tmp_path / "index", make_companions(tmp_path / "companions"))
    given = only_pip(index, tmp_path / "home") | {
        "PIP_FIND_LINKS": str(index),  # a variable of this machine would win over the file
        "PENSTOCK_DATA": str(tmp_path / "data"),
    }
    file = tmp_path / "needs.py"
    body = 'import demo\ndef needs(text: str) -> str:\n    return f"{text} {demo.VERSION}"\n'
    file.write_text(f'# /// script\n# dependencies = ["demo<2"]\n# ///\n{body}')

    first = run(str(file), "text=demo", environment=given)
    for wheel in index.iterdir():
        wheel.unlink()
    again = run(str(file), "text=demo", environment=given)

    assert first.stdout == again.stdout == "demo 1.0\n"
    assert "building an environment" in first.stderr
    assert again.stderr == ""
    assert len(list((tmp_path / "data" / "envs").glob("*/environment.json"))) == 1
