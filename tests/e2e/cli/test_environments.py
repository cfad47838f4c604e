"""`penstock env`, `add`, `relock` and `new --with` beside a running system."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import penstock
from tests.support.system import System, running_system
from tests.support.waiting import eventually
from tests.support.wheel_index import make_companions, make_index, only_pip
from tests.support.wheels import write_wheel


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    (folder / "companions").mkdir()
    made = make_index(folder / "index", make_companions(folder / "companions"))
    write_wheel(made, "other", "1.0", {"other.py": "VERSION = '1.0'\n"})
    return made


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory, index: Path) -> dict[str, str]:
    home = tmp_path_factory.mktemp("homes") / "home"
    return only_pip(index, home) | {"PIP_FIND_LINKS": str(index)}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, variables: dict[str, str]) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("system")
    (folder / "functions").mkdir()
    (folder / "functions" / "plain.py").write_text("def plain() -> int:\n    return 1\n")
    with running_system(folder, environment=variables) as running:
        yield running


def say(system: System, variables: dict[str, str], *words: str, is_refused: bool = False) -> str:
    """Run a command against the system; return its output."""
    environment = variables | {"PENSTOCK_FUNCTIONS": str(system.functions)}
    at = [] if words[0] in {"add", "new"} else ["--url", system.base_url]
    done = penstock(*words, *at, environment=environment)
    assert (done.returncode != 0) == is_refused, done.stdout + done.stderr
    return done.stderr if is_refused else done.stdout


def ready(system: System, name: str, package: str) -> None:
    def look() -> bool:
        answer = system.http.get(f"/functions/{name}")
        found = answer.json() if answer.is_success else {}
        names = {each["name"] for each in found.get("dependencies", ())}
        return package in names and found["environment"]["state"] == "ready"

    eventually(look, within_s=40, every_s=0.1)


def test_a_function_is_begun_with_packages_and_gets_more(system: System, variables: dict[str, str]):
    say(system, variables, "new", "begun", "--with", "demo==1.0")
    ready(system, "begun", "demo")
    before = (system.functions / "begun.py").read_text()

    say(system, variables, "add", "begun", "other")
    ready(system, "begun", "other")

    after = (system.functions / "begun.py").read_text()
    assert '"demo==1.0"' in after
    assert '"other' in after
    assert "tool.uv" not in after  # where packages come from is this machine's affair
    assert after.endswith(before.partition("# ///\n")[2].partition("# ///\n")[2])
    shown = say(system, variables, "env", "show", "begun")
    assert "ready" in shown
    assert "other" in shown
    assert say(system, variables, "relock", "begun").startswith("begun is being resolved")
    ready(system, "begun", "other")


def test_a_package_that_is_nowhere_changes_no_file(system: System, variables: dict[str, str]):
    path = system.functions / "plain.py"
    before = path.read_text()

    said = say(system, variables, "add", "plain", "no-such-thing", is_refused=True)

    assert "was not changed" in said
    assert "no-such-thing" in said
    assert path.read_text() == before


@pytest.mark.faults
def test_what_no_function_needs_is_removed(system: System, variables: dict[str, str]):
    path = system.functions / "brief.py"
    path.write_text(
        '# /// script\n# dependencies = ["demo==2.0"]\n# ///\n'
        "import demo\ndef brief() -> str:\n    return demo.VERSION\n"
    )
    ready(system, "brief", "demo")
    # A newer version that cannot be had takes nothing away from the one that serves.
    path.write_text(path.read_text().replace("2.0", "9.0"))
    eventually(lambda: system.http.get("/functions/brief").json()["error"], within_s=20)
    key = system.http.get("/functions/brief").json()["environment"]["key"]
    listed = lambda: json.loads(say(system, variables, "env", "ls", "--json"))["items"]  # noqa: E731
    eventually(lambda: key in [each["key"] for each in listed()], within_s=15)
    say(system, variables, "env", "gc")
    assert "is the environment of brief" in say(
        system, variables, "env", "rm", key, is_refused=True
    )
    assert system.call("brief", wait_s=20).json()["result"] == "2.0"

    path.unlink()
    eventually(lambda: system.http.get("/functions/brief").status_code == 404, within_s=10)
    assert key in say(system, variables, "env", "rm", key)

    eventually(lambda: key not in [each["key"] for each in listed()], within_s=20)
