"""Files come, change, break and go while the system runs."""

from __future__ import annotations

import httpx

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
