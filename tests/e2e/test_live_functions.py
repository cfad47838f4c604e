"""Files come, change, break and go while the system runs."""

from __future__ import annotations

import httpx
import pytest

from tests.support.system import System
from tests.support.waiting import eventually

LIVE_WITHIN_S = 2.0


def answers(system: System, name: str, expected: object) -> bool:
    """Whether the function answers with the expected result now."""
    answer = system.call(name, wait_s=5)
    return answer.status_code == 200 and answer.json()["result"] == expected


def is_documented(system: System, name: str) -> bool:
    return f"/functions/{name}" in system.http.get("/openapi.json").json()["paths"]


def load_error(system: System, name: str) -> dict[str, object] | None:
    answer = system.http.get(f"/functions/{name}")
    return answer.json().get("error") if answer.status_code == 200 else None


def test_an_added_file_answers_and_is_documented_within_two_seconds(system: System) -> None:
    system.write("added", "def added(number: int) -> int:\n    return number + 1\n")

    eventually(lambda: is_documented(system, "added"), within_s=LIVE_WITHIN_S)
    assert system.call("added", wait_s=5, number=1).json()["result"] == 2


def test_an_edited_file_answers_with_its_new_version_within_two_seconds(system: System) -> None:
    system.write("edited", "def edited() -> str:\n    return 'old'\n")
    eventually(lambda: answers(system, "edited", "old"))
    old = system.http.get("/functions/edited").json()["version"]

    system.write("edited", "def edited() -> str:\n    return 'new'\n")

    eventually(lambda: answers(system, "edited", "new"), within_s=LIVE_WITHIN_S)
    assert system.http.get("/functions/edited").json()["version"] != old


def test_a_helper_file_counts_as_part_of_the_functions_beside_it(system: System) -> None:
    system.write("_rates", "RATE = 2\n")
    system.write("priced", "from _rates import RATE\n\ndef priced() -> int:\n    return RATE\n")
    eventually(lambda: answers(system, "priced", 2))

    system.write("_rates", "RATE = 3\n")

    eventually(lambda: answers(system, "priced", 3), within_s=LIVE_WITHIN_S)


def test_a_running_call_finishes_on_the_version_it_started_with(system: System) -> None:
    source = "import time\n\ndef slow() -> str:\n    time.sleep({})\n    return '{}'\n"
    system.write("slow", source.format(1.5, "old"))
    eventually(lambda: is_documented(system, "slow"))
    running = system.call("slow").json()["id"]
    eventually(lambda: system.invocation(running)["status"] == "running")

    system.write("slow", source.format(0, "new"))
    eventually(lambda: answers(system, "slow", "new"))

    assert system.finished(running)["result"] == "old"


def test_a_broken_file_leaves_the_old_version_serving_and_says_where_it_broke(
    system: System,
) -> None:
    system.write("broken", "def broken() -> str:\n    return 'old'\n")
    eventually(lambda: answers(system, "broken", "old"))

    system.write("broken", "def broken() -> str:\n    return 'new'\n\n1 / 0\n")

    error = eventually(lambda: load_error(system, "broken"), within_s=LIVE_WITHIN_S)
    assert error["type"] == "ZeroDivisionError"
    assert (error["file"], error["line"]) == ("broken.py", 4)
    assert answers(system, "broken", "old")

    system.write("broken", "def broken() -> str:\n    return 'mended'\n")
    eventually(lambda: answers(system, "broken", "mended"), within_s=LIVE_WITHIN_S)
    assert load_error(system, "broken") is None


def test_a_file_that_never_loaded_is_unavailable_and_says_why(system: System) -> None:
    system.write("unparsable", "def unparsable(:\n")

    error = eventually(lambda: load_error(system, "unparsable"), within_s=LIVE_WITHIN_S)

    assert error["type"] == "SyntaxError"
    assert (error["file"], error["line"]) == ("unparsable.py", 1)
    answer = system.call("unparsable")
    assert (answer.status_code, answer.json()["code"]) == (503, "function_unavailable")


@pytest.mark.parametrize(
    ("name", "source", "error_type"),
    [
        ("exiting", "import sys\n\nsys.exit(0)\n", None),
        ("leaving", "import os\n\nos._exit(0)\n", None),
        ("crashing", "import ctypes\n\nctypes.string_at(0)\n", None),
        ("greedy", "hoard = bytearray(10**11)\n", None),
        ("hanging", "import time\n\ntime.sleep(600)\n", "later"),
    ],
)
def test_a_file_that_harms_itself_at_import_harms_no_other(
    system: System, name: str, source: str, error_type: str | None
) -> None:
    neighbour = f"beside_{name}"

    system.write(name, source)
    system.write(neighbour, f"def {neighbour}() -> str:\n    return 'well'\n")

    eventually(lambda: answers(system, neighbour, "well"), within_s=LIVE_WITHIN_S)
    assert answers(system, "hello", "Hello, world!")
    if error_type is None:
        error = eventually(lambda: load_error(system, name))
        assert error["file"] == f"{name}.py"


@pytest.mark.faults
def test_a_hanging_file_is_given_up_after_its_deadline(system: System) -> None:
    system.write("stuck", "while True:\n    pass\n")

    error = eventually(lambda: load_error(system, "stuck"), within_s=20)

    assert error["type"] == "Timeout"
    (system.functions / "stuck.py").unlink()


def test_a_removed_file_is_gone_within_two_seconds(system: System) -> None:
    file = system.write("fleeting", "def fleeting() -> int:\n    return 1\n")
    eventually(lambda: answers(system, "fleeting", 1))

    file.unlink()

    def gone() -> httpx.Response | None:
        answer = system.call("fleeting")
        return answer if answer.status_code == 404 else None

    answer = eventually(gone, within_s=LIVE_WITHIN_S)
    assert answer.json()["code"] == "function_not_found"
    assert not is_documented(system, "fleeting")
