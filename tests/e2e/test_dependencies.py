"""A dropped-in file that names packages works, with its own versions, beside others."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.system import System, running_system
from tests.support.waiting import eventually
from tests.support.wheel_index import make_companions, make_index, only_pip
from tests.support.wheels import write_wheel


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    (folder / "companions").mkdir()
    made = make_index(folder / "index", make_companions(folder / "companions"))
    write_wheel(made, "gateway", "1.0", {"gateway.py": "NAME = 'theirs'\n"})
    write_wheel(made, "early", "1.0", {"early.py": "import os\nPID = os.getpid()\n"})
    return made


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, index: Path) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("system")
    (folder / "functions").mkdir()
    (folder / "functions" / "plain.py").write_text("def plain() -> int:\n    return 1\n")
    # A variable of this machine would win over the file.
    environment = only_pip(index, folder / "home") | {"PIP_FIND_LINKS": str(index)}
    with running_system(folder, environment=environment) as running:
        yield running


def needing(*dependencies: str, body: str, name: str = "f", more: str = "") -> str:
    listed = ", ".join(f'"{each}"' for each in dependencies)
    return f"# /// script\n# dependencies = [{listed}]\n{more}# ///\n{body}"


def serving(system: System, name: str) -> dict[str, Any]:
    """Return a function once its newest file serves."""

    def look() -> dict[str, Any] | None:
        answer = system.http.get(f"/functions/{name}")
        found: dict[str, Any] = answer.json()
        return found if answer.is_success and found["environment"]["state"] == "ready" else None

    return eventually(look, within_s=50, every_s=0.1)


def failing(system: System, name: str) -> dict[str, Any]:
    """Return the load error of a function."""

    def look() -> dict[str, Any] | None:
        answer = system.http.get(f"/functions/{name}")
        return answer.json()["error"] if answer.is_success else None

    return eventually(look, within_s=50, every_s=0.1)


def test_two_files_have_two_versions_of_one_package(system: System):
    body = "import demo\ndef {name}() -> str:\n    return demo.VERSION\n"
    system.write("one", needing("demo==1.0", body=body.format(name="one")))
    system.write("two", needing("demo==2.0", body=body.format(name="two")))
    shown = serving(system, "one")
    serving(system, "two")

    answers = [system.call(name, wait_s=20).json()["result"] for name in ("one", "two") * 50]

    assert answers == ["1.0", "2.0"] * 50
    assert {"name": "demo", "version": "1.0"} in shown["dependencies"]
    assert shown["environment"]["packages"] == len(shown["dependencies"])


def test_a_file_without_a_block_runs_as_ever(system: System):
    assert system.call("plain", wait_s=20).json()["result"] == 1
    assert system.http.get("/functions/plain").json()["environment"]["state"] == "none"


def test_nothing_of_ours_is_found_but_pydantic(system: System):
    body = """
    import importlib
    def names(wanted: list[str]) -> list[str]:
        found = []
        for name in wanted:
            try:
                importlib.import_module(name)
                found.append(name)
            except ModuleNotFoundError:
                pass
        return found
    """
    system.write("names", needing("demo", body=textwrap.dedent(body)))
    serving(system, "names")

    wanted = ["redis", "falcon", "dramatiq", "msgspec", "structlog", "gateway", "pydantic", "demo"]
    answer = system.call("names", wait_s=20, wanted=wanted).json()

    assert answer["result"] == ["pydantic", "demo"]


def test_a_package_of_the_name_of_ours_is_theirs(system: System):
    body = "import gateway\ndef theirs() -> str:\n    return gateway.NAME\n"
    system.write("theirs", needing("gateway", body=body))
    serving(system, "theirs")

    assert system.call("theirs", wait_s=20).json()["result"] == "theirs"


def test_what_cannot_be_resolved_is_told_and_what_served_goes_on(system: System):
    body = "import demo\ndef kept() -> str:\n    return demo.VERSION\n"
    system.write("kept", needing("demo==1.0", body=body))
    serving(system, "kept")

    system.write("kept", needing("demo==1.0", "demo==2.0", body=body))
    error = failing(system, "kept")

    assert error["type"] == "DependencyConflict"
    assert (error["file"], error["line"]) == ("kept.py", 1)
    assert "demo" in error["message"]
    assert system.call("kept", wait_s=20).json()["result"] == "1.0"


def test_a_block_that_is_wrong_is_told_with_its_line(system: System):
    system.write("wrong", "\n# /// script\n# dependancies = []\n# ///\ndef wrong(): ...\n")

    error = failing(system, "wrong")

    assert error["type"] == "MetadataInvalid"
    assert "did you mean dependencies?" in error["message"]
    assert error["line"] == 2


def test_an_edit_of_code_keeps_the_environment(system: System):
    body = "import demo\ndef edited() -> str:\n    return {text!r}\n"
    system.write("edited", needing("demo", body=body.format(text="first")))
    before = serving(system, "edited")

    system.write("edited", needing("demo", body=body.format(text="second")))
    eventually(lambda: system.call("edited", wait_s=20).json()["result"] == "second", within_s=5)

    after = serving(system, "edited")
    assert after["version"] != before["version"]
    assert after["environment"] == before["environment"]


def test_a_block_that_is_resolved_already_can_begin_to_preload(system: System):
    body = "import early, os\ndef {name}() -> bool:\n    return early.PID == os.getppid()\n"
    more = '# [tool.penstock]\n# preload = ["early"]\n'
    system.write("late", needing("early", body=body.format(name="late")))
    serving(system, "late")
    system.write("soon", needing("early", body=body.format(name="soon"), more=more))
    serving(system, "soon")

    answers = [system.call(name, wait_s=20).json()["result"] for name in ("late", "soon")]

    assert answers == [False, True]
