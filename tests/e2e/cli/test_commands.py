"""The commands that talk to a running system, as a person types them."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path

import pytest
from PIL import Image

from gateway.cli.errors import ExitCode
from tests.support.commands import penstock
from tests.support.system import System
from tests.support.waiting import eventually

PNG = b"\x89PNG\r\n\x1a\n"


def test_ls_lists_what_is_published(system: System):
    people = penstock("ls", "--data", system.data)
    machines = penstock("ls", "--url", system.base_url, "--json")

    assert people.returncode == ExitCode.OK
    assert "hello" in people.stdout
    assert "Greet somebody by name." in people.stdout
    assert "hello" in {item["name"] for item in json.loads(machines.stdout)["items"]}


def test_invoke_prints_the_result(system: System):
    answer = penstock("invoke", "hello", "name=Ada", "--wait", "--url", system.base_url)

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "Hello, Ada!\n", "")


def test_a_command_says_which_variables_are_no_settings(system: System):
    given = {"PENSTOCK_DATTA": str(system.data), "PENSTOCK_POORT": "1", "PENSTOCK_KEY": "pk_x"}
    answer = penstock("ls", "--url", system.base_url, environment=given)

    said = [line for line in answer.stderr.splitlines() if "is not a setting" in line]
    assert said == [
        f"penstock: {wrong} is not a setting and is ignored; did you mean {right}?"
        for wrong, right in (
            ("PENSTOCK_DATTA", "PENSTOCK_DATA"),
            ("PENSTOCK_POORT", "PENSTOCK_PORT"),
        )
    ]


def test_invoke_finds_the_system_by_its_data_folder(system: System):
    answer = penstock("invoke", "hello", "--wait", environment={"PENSTOCK_DATA": str(system.data)})

    assert answer.stdout == "Hello, world!\n"


def test_invoke_without_waiting_prints_the_id(system: System):
    answer = penstock("invoke", "hello", "name=Ada", "--url", system.base_url)

    found = system.finished(answer.stdout.strip())
    assert answer.returncode == ExitCode.OK
    assert found["result"] == "Hello, Ada!"


def test_invoke_sends_a_file_and_writes_bytes(system: System, tmp_path: Path):
    picture, small = tmp_path / "picture.png", tmp_path / "small.png"
    picture.write_bytes(_picture())

    answer = penstock(
        *("invoke", "thumbnail", f"image=@{picture}", "width=8", "-o", small),
        *("--url", system.base_url),
    )

    assert answer.returncode == ExitCode.OK, answer.stderr
    assert small.read_bytes().startswith(PNG)


def test_invoke_sends_a_whole_body(system: System, tmp_path: Path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(_picture())
    address = ("--url", system.base_url, "--wait")

    as_text = penstock("invoke", "hello", "--data", '{"name": "Ada"}', *address)
    piped = penstock("invoke", "hello", "--data", "@-", *address, given='{"name": "Bob"}')
    raw = penstock("invoke", "thumbnail", "--data", f"@{picture}", *address, text=False)

    assert as_text.stdout == "Hello, Ada!\n"
    assert piped.stdout == "Hello, Bob!\n"
    assert raw.stdout.startswith(PNG)


def test_a_function_that_fails_ends_with_its_own_exit_code(system: System):
    system.write("cli_fails", 'def cli_fails():\n    raise ValueError("no good")\n')
    eventually(lambda: system.http.get("/functions/cli_fails").status_code == 200)

    answer = penstock("invoke", "cli_fails", "--wait", "--url", system.base_url)

    assert answer.returncode == ExitCode.FAILED
    assert answer.stdout == ""
    assert "cli_fails failed: exception: no good" in answer.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("no_such_function",), ExitCode.REFUSED, "function_not_found"),
        (("hello", "name=Ada", "age=5"), ExitCode.REFUSED, "/age"),
        (("hello", "name"), ExitCode.USAGE, "write key=value"),
        (("hello", "name=Ada", "--data", "{}"), ExitCode.USAGE, "not both"),
        (("hello", "--data", "{"), ExitCode.REFUSED, "invalid_json"),
    ],
)
def test_what_is_refused_is_told(system: System, words: tuple[str, ...], code: int, said: str):
    answer = penstock("invoke", *words, "--wait", "--url", system.base_url)

    assert answer.returncode == code
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


def test_status_says_that_it_is_well(system: System):
    people = penstock("status", "--data", system.data)
    machines = json.loads(penstock("status", "--data", system.data, "--json").stdout)

    assert people.returncode == ExitCode.OK
    assert f"{system.base_url} is ready" in people.stdout
    assert machines["ready"] is True
    assert {"penstock", "redis", "gateway", "worker-1"} <= set(machines["pids"])


def test_openapi_prints_the_document(system: System, tmp_path: Path):
    file = tmp_path / "openapi.yaml"

    as_json = penstock("openapi", "--url", system.base_url)
    as_yaml = penstock("openapi", "--yaml", "-o", file, "--url", system.base_url)

    assert json.loads(as_json.stdout)["openapi"].startswith("3.1")
    assert as_yaml.returncode == ExitCode.OK
    assert "openapi: 3.1" in file.read_text(encoding="utf-8")


def test_a_new_function_works_at_once(system: System):
    made = penstock("new", "cli.repeat", "--functions", system.functions)
    again = penstock("new", "cli.repeat", "--functions", system.functions)
    eventually(lambda: system.http.get("/functions/cli.repeat").status_code == 200)

    address = ("--wait", "--url", system.base_url)
    answer = penstock("invoke", "cli.repeat", "text=ha", "times=2", *address)

    assert made.stdout.strip() == str(system.functions / "cli" / "repeat.py")
    assert again.returncode == ExitCode.FAILED
    assert "already exists" in again.stderr
    assert json.loads(answer.stdout) == {"text": "ha ha", "characters": 4}


@pytest.mark.parametrize("name", ["Report", "_helper", "a._b"])
def test_a_name_that_cannot_be_published_is_refused(tmp_path: Path, name: str):
    answer = penstock("new", name, "--functions", tmp_path)

    assert answer.returncode == ExitCode.USAGE
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_python_keeps_for_itself_is_refused(tmp_path: Path):
    answer = penstock("new", "school.class", "--functions", tmp_path)

    assert answer.returncode == ExitCode.USAGE
    assert "is a Python keyword" in answer.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["ls", "status", "openapi"])
def test_where_nobody_answers_the_exit_code_says_so(command: str):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    answer = penstock(command, "--url", url)

    assert answer.returncode == ExitCode.UNREACHABLE
    assert answer.stderr.startswith(f"penstock: no system answers at {url} (connection refused)")


def _picture() -> bytes:
    """Return a PNG of 16 by 16 pixels."""
    out = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(out, "PNG")
    return out.getvalue()
