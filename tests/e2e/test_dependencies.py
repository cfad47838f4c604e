"""A dropped-in file that names packages works, with its own versions, beside others."""

from __future__ import annotations

import shutil
import socket
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.package_server import package_server
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
    write_wheel(made, "runtime", "1.0", {"runtime.py": "THEIRS = True\n"})
    write_wheel(made, "msgspec", "0.9.1", {"msgspec.py": "VERSION = '0.9.1'\n"})
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


def test_two_versions_are_called_in_turn_a_thousand_times(system: System):
    body = "import demo\ndef {name}() -> str:\n    return demo.VERSION\n"
    system.write("first", needing("demo==1.0", body=body.format(name="first")))
    system.write("second", needing("demo==2.0", body=body.format(name="second")))
    serving(system, "first")
    serving(system, "second")

    answers = [system.call(name, wait_s=20).json()["result"] for name in ("first", "second") * 500]

    assert answers == ["1.0", "2.0"] * 500


def test_a_package_that_ours_uses_is_theirs_in_their_version(system: System):
    body = "import msgspec\ndef old() -> str:\n    return msgspec.VERSION\n"
    system.write("old", needing("msgspec<0.10", body=body))
    serving(system, "old")

    assert system.call("old", wait_s=20).json()["result"] == "0.9.1"


def test_a_module_named_runtime_does_no_harm(system: System):
    """The name is Penstock's: what is installed under it is not found."""
    body = "import runtime\ndef named() -> bool:\n    return hasattr(runtime, 'THEIRS')\n"
    system.write("named", needing("runtime", body=body))
    serving(system, "named")

    assert system.call("named", wait_s=20).json()["result"] is False


def test_a_thread_cannot_have_packages(system: System):
    body = "from penstock import function\n@function(isolation='thread')\ndef threaded(): ...\n"
    system.write("threaded", needing("demo", body=body))

    error = failing(system, "threaded")

    assert error["type"] == "OptionError"
    assert 'isolation="thread"' in error["message"]


def test_a_helper_may_not_have_a_block(system: System):
    (system.functions / "_shared.py").write_text(needing("demo", body="X = 1\n"))
    system.write("helped", "from _shared import X\ndef helped() -> int:\n    return X\n")
    try:
        error = failing(system, "helped")
    finally:
        (system.functions / "_shared.py").unlink()

    assert error["type"] == "MetadataInvalid"
    assert "_shared.py" in error["message"] + error["file"]


def test_many_files_with_one_block_are_built_once(system: System, index: Path, tmp_path: Path):
    """The package's `.pth` file notes each start of an interpreter in a folder being built."""
    witness = tmp_path / "starts"
    noting = f"import os, sys; print(sys.prefix, os.getpid(), file=open({str(witness)!r}, 'a'))\n"
    write_wheel(index, "noting", "1.0", {"noting.pth": noting})
    names = [f"many{n}" for n in range(50)]
    for name in names:
        system.write(name, needing("noting", body=f"def {name}() -> str:\n    return {name!r}\n"))

    for name in names:
        serving(system, name)

    built = {line for line in witness.read_text().splitlines() if ".building-" in line}
    assert len(built) == 1  # it starts once, to compile and to tell what is installed
    assert system.call("many49", wait_s=20).json()["result"] == "many49"


@pytest.mark.faults  # it waits for the time limit of an index
def test_a_silent_index_holds_up_nobody_else(tmp_path_factory: pytest.TempPathFactory, index: Path):
    folder = tmp_path_factory.mktemp("silent")
    with (
        socket.create_server(("127.0.0.1", 0), backlog=50) as silent,
        package_server(index) as address,
    ):
        nobody = f"http://127.0.0.1:{silent.getsockname()[1]}/packages/"
        more = f'# [[tool.uv.index]]\n# url = "{nobody}"\n'
        (folder / "functions").mkdir()
        stuck = needing("demo", more=more, body="def stuck(): ...\n")
        (folder / "functions" / "stuck.py").write_text(stuck)
        # It is ready: that waits for no build.
        with running_system(folder, environment={"UV_DEFAULT_INDEX": address}) as system:
            eventually(lambda: _state(system, "stuck") == "resolving", within_s=10)

            system.write("quick", "def quick() -> int:\n    return 2\n")
            body = "import demo\ndef beside() -> str:\n    return demo.VERSION\n"
            system.write("beside", needing("demo==2.0", body=body))
            serving(system, "beside")

            assert system.call("quick", wait_s=20).json()["result"] == 2
            assert system.call("beside", wait_s=20).json()["result"] == "2.0"
            assert _state(system, "stuck") == "resolving"


def test_what_was_deleted_by_hand_is_built_again(system: System):
    body = "import demo, os\ndef lasting() -> str:\n    return demo.__file__\n"
    system.write("lasting", needing("demo==2.0", "demo>=1.5", body=body))
    key = serving(system, "lasting")["environment"]["key"]
    folder = system.data / "envs" / key
    assert system.call("lasting", wait_s=20).json()["result"].startswith(str(folder))

    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder)
    system.write("lasting", needing("demo==2.0", "demo>=1.5", body=f"{body}# edited\n"))

    def is_called_anew() -> bool:
        found = system.call("lasting", wait_s=20).json()
        return found["status"] == "succeeded" and folder.is_dir()

    eventually(is_called_anew, within_s=30)


def test_an_environment_in_use_is_kept_and_one_without_functions_goes(system: System):
    body = "import demo\ndef passing() -> str:\n    return demo.VERSION\n"
    system.write("passing", needing("demo==1.0", "gateway", body=body))
    key = serving(system, "passing")["environment"]["key"]
    assert system.call("passing", wait_s=20).json()["result"] == "1.0"
    eventually(lambda: key in _environments(system), within_s=15)

    refused = system.http.delete(f"/environments/{key}")
    assert (refused.status_code, refused.json()["code"]) == (409, "environment_in_use")
    assert "passing" in refused.json()["detail"]
    (system.functions / "passing.py").unlink()
    eventually(lambda: system.http.get("/functions/passing").status_code == 404, within_s=10)
    assert system.http.delete(f"/environments/{key}").status_code == 204

    eventually(lambda: not (system.data / "envs" / key).exists(), within_s=15)
    eventually(lambda: key not in _environments(system), within_s=15)
    assert system.http.delete(f"/environments/{key}").json()["code"] == "environment_not_found"


@pytest.mark.faults
def test_a_lock_does_not_move_until_it_is_told_to(
    tmp_path_factory: pytest.TempPathFactory, index: Path
):
    folder = tmp_path_factory.mktemp("moving")
    own = folder / "index"
    shutil.copytree(index, own)
    environment = only_pip(own, folder / "home") | {"PIP_FIND_LINKS": str(own)}
    (folder / "functions").mkdir()
    body = "import demo\ndef moving() -> str:\n    return demo.VERSION\n"
    (folder / "functions" / "moving.py").write_text(needing("demo", body=body))
    with running_system(folder, environment=environment) as system:
        serving(system, "moving")
        assert system.call("moving", wait_s=20).json()["result"] == "2.0"

    write_wheel(own, "demo", "3.0", {"demo.py": "VERSION = '3.0'\n"})
    with running_system(folder, environment=environment) as system:
        serving(system, "moving")
        assert system.call("moving", wait_s=20).json()["result"] == "2.0"
        assert system.http.post("/functions/moving/relock").status_code == 202
        eventually(lambda: system.call("moving", wait_s=20).json()["result"] == "3.0", within_s=30)


def _state(system: System, name: str) -> str | None:
    answer = system.http.get(f"/functions/{name}")
    return answer.json()["environment"]["state"] if answer.is_success else None


def _environments(system: System) -> dict[str, Any]:
    return {each["key"]: each for each in system.http.get("/environments").json()["items"]}


def test_a_block_that_is_resolved_already_can_begin_to_preload(system: System):
    body = "import early, os\ndef {name}() -> bool:\n    return early.PID == os.getppid()\n"
    more = '# [tool.penstock]\n# preload = ["early"]\n'
    system.write("late", needing("early", body=body.format(name="late")))
    serving(system, "late")
    system.write("soon", needing("early", body=body.format(name="soon"), more=more))
    serving(system, "soon")

    answers = [system.call(name, wait_s=20).json()["result"] for name in ("late", "soon")]

    assert answers == [False, True]
