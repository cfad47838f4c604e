"""The publisher: Redis's list of functions follows the folder, whatever happens to either."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from runtime.registry.published_version import decode_release
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import read_source, read_versions
from runtime.store.scripts import Command
from tests.support.waiting import eventually

LIVE_WITHIN_S = 2.0


def test_what_is_in_the_folder_is_published(folder, publish, published):
    folder.write("hello.py", "def hello(name: str) -> str: return name\n")
    folder.write("billing/invoice.py", "def invoice(): pass\n")
    folder.write(
        "several.py",
        "from penstock import function\n@function\ndef a(): pass\n@function\ndef b(): pass\n",
    )

    publish()
    eventually(published.has("hello", "billing.invoice", "a", "b"))

    versions = published.versions()
    assert versions["a"] == versions["b"] == published.all()["a"].version
    release = decode_release(published.connection.run(read_source(versions["hello"])))
    assert release.bundle.sources == {"hello.py": b"def hello(name: str) -> str: return name\n"}


def test_when_the_first_function_serves_all_others_are_known(folder, publish, published):
    names = {f"f{number}" for number in range(60)}
    for name in names:
        folder.write(f"{name}.py", f"def {name}(): pass\n")

    def look():
        found = published.all()
        return found if any(manifest.version for manifest in found.values()) else None

    publish(rescan_s=60)
    found = eventually(look, every_s=0)

    assert set(found) == names


@pytest.mark.parametrize(("file", "name"), [("g.py", "g"), ("new/deep/g.py", "new.deep.g")])
def test_a_new_file_is_live_within_two_seconds(folder, publish, published, file, name):
    folder.write("f.py", "def f(): pass\n")
    publish(rescan_s=60)
    eventually(published.has("f"))

    folder.write(file, "def g(): pass\n")

    eventually(published.has("f", name), within_s=LIVE_WITHIN_S)


def test_a_changed_file_is_live_within_two_seconds(folder, publish, published):
    folder.write("f.py", "def f(): return 1\n")
    publish(rescan_s=60)
    eventually(published.has("f"))
    before = published.versions()["f"]

    folder.write("f.py", "def f(a: int): return 2\n")

    eventually(lambda: published.versions()["f"] != before, within_s=LIVE_WITHIN_S)
    assert "a" in published.all()["f"].parameters["properties"]


def test_a_changed_helper_renews_those_that_have_it_and_no_others(folder, publish, published):
    folder.write("billing/_rates.py", "RATE = 1\n")
    folder.write("billing/invoice.py", "def invoice(): pass\n")
    folder.write("other.py", "def other(): pass\n")
    publish(rescan_s=60)
    eventually(published.has("billing.invoice", "other"))
    before = published.versions()

    folder.write("billing/_rates.py", "RATE = 2\n")

    eventually(lambda: published.versions()["billing.invoice"] != before["billing.invoice"])
    assert published.versions()["other"] == before["other"]


def test_what_vanished_while_nobody_watched_is_withdrawn_at_the_next_start(
    folder, publish, published
):
    path = folder.write("f.py", "def f(): pass\n")
    folder.write("g.py", "def g(): pass\n")
    first = publish()
    eventually(published.has("f", "g"))
    first.stop()
    path.unlink()

    publish()

    eventually(published.has("g"))


def test_a_mended_file_loses_its_error(folder, publish, published):
    folder.write("f.py", "def f(): return 1\n")
    publish(rescan_s=60)
    eventually(published.has("f"))
    before = published.versions()["f"]
    folder.write("f.py", "broken(")
    eventually(lambda: published.error_of("f"))

    folder.write("f.py", "def f(): return 3\n")
    eventually(lambda: published.versions()["f"] != before)
    folder.write("f.py", "broken(")
    eventually(lambda: published.error_of("f"))
    folder.write("f.py", "def f(): return 1\n")

    eventually(lambda: published.error_of("f") is None)
    assert published.versions()["f"] == before


def test_a_file_that_never_loaded_is_shown_without_a_version(folder, publish, published):
    folder.write("f.py", "1 / 0\n")
    folder.write("Bad-Name.py", "")
    publish()

    eventually(published.has("f", "Bad-Name"))

    shown = published.all()["f"]
    assert (shown.version, shown.error.type, shown.error.line) == ("", "ZeroDivisionError", 1)
    assert published.error_of("Bad-Name") == "BadName"
    assert published.versions() == {}


def test_a_file_that_hangs_does_not_hold_up_the_others(folder, publish, published):
    for number in range(9):
        folder.write(f"hang{number}.py", "import time\ntime.sleep(60)\n")
    folder.write("zz.py", "def zz(): pass\n")

    publish(load_timeout_s=8)

    eventually(published.has("zz"), within_s=LIVE_WITHIN_S)


def test_files_that_exit_or_crash_harm_no_other(folder, publish, published):
    folder.write("exits.py", "import os\nos._exit(0)\n")
    folder.write("crashes.py", "import ctypes\nctypes.string_at(0)\n")
    folder.write("good.py", "def good(): pass\n")

    publish()
    eventually(published.has("exits", "crashes", "good"))

    assert published.error_of("exits") == "Exited"
    assert published.error_of("crashes") == "Crashed"
    assert set(published.versions()) == {"good"}


@pytest.mark.parametrize(("older", "newer"), [("b", "a"), ("a", "b")])
def test_of_two_files_with_one_name_the_one_that_serves_keeps_it_and_the_newcomer_is_told(
    folder, publish, published, older, newer
):
    source = "from penstock import function\n@function(name='x')\ndef f(): return {}\n"
    first = folder.write(f"{older}.py", source.format(1))
    publisher = publish(rescan_s=60)
    eventually(published.has("x"))
    before = published.versions()

    with capture_logs() as logs:
        folder.write(f"{newer}.py", source.format(2))
        eventually(lambda: published.error_of(newer) == "DuplicateName")
        publisher.stop()
        publisher = publish(rescan_s=60)
        eventually(lambda: publisher.standing is not None)

    assert published.versions() == before
    assert published.all()["x"].error is None
    reported = [line for line in logs if line.get("error_type") == "DuplicateName"]
    assert {line["file"] for line in reported} == {f"{newer}.py"}
    first.unlink()
    eventually(lambda: published.all()["x"].file == f"{newer}.py")
    eventually(published.has("x"))


def test_what_another_file_is_about_to_publish_is_not_withdrawn(
    folder, publish, published, monkeypatch
):
    monkeypatch.setattr("runtime.registry.file_states._FRESH_S", 0.0)  # as if it took that long
    text = "from penstock import function\n@function(name='x')\ndef f(): ...\n"
    first = folder.write("b.py", text)
    publisher = publish()
    eventually(published.has("x"))
    gate = folder.root.with_name("gate")

    first.unlink()
    folder.write("a.py", f"import pathlib, time\n{wait_for(gate)}\n{text}")
    eventually(lambda: "a" in published.all(), within_s=LIVE_WITHIN_S)
    publisher.stop()  # the pass has ended

    assert "x" in published.versions()
    gate.touch()
    publisher.start()
    eventually(lambda: published.all()["x"].file == "a.py")


def wait_for(gate: Path) -> str:
    return f"while not pathlib.Path({str(gate)!r}).exists(): time.sleep(.01)"


def test_a_file_is_known_while_it_loads(folder, publish, published):
    folder.write("quick.py", "def quick(): pass\n")
    publish(rescan_s=60)
    eventually(published.has("quick"))
    gate = folder.root.with_name("gate")

    folder.write(
        "slow.py",
        f"import pathlib, time\n{wait_for(gate)}\ndef slow(): pass\n",
    )
    eventually(lambda: "slow" in published.all(), within_s=LIVE_WITHIN_S)

    shown = published.all()["slow"]
    assert (shown.is_loading, shown.error, shown.version) == (True, None, "")
    assert "slow" not in published.versions()
    gate.touch()
    eventually(lambda: "slow" in published.versions(), within_s=LIVE_WITHIN_S)
    assert not published.all()["slow"].is_loading


def test_a_renamed_file_never_makes_its_functions_vanish(folder, publish, published, redis_url):
    source = "from penstock import function\n@function(name='x')\ndef f(): pass\n"
    path = folder.write("a.py", source)
    publish(rescan_s=60)
    eventually(published.has("x"))
    seen: list[set[str]] = []
    done = threading.Event()

    def watch() -> None:
        other = BlockingConnection(redis_url)
        while not done.is_set():
            seen.append(set(other.run(read_versions())))
        other.close()

    watcher = threading.Thread(target=watch)
    watcher.start()

    path.rename(folder.root / "b.py")
    eventually(lambda: published.all()["x"].file == "b.py")
    done.set()
    watcher.join()

    assert seen
    assert all(names == {"x"} for names in seen)


def test_what_has_not_changed_is_not_published_again(folder, publish, published, connection):
    folder.write("f.py", "def f(): pass\n")
    first = publish()
    eventually(published.has("f"))
    first.stop()
    calls = _calls(connection, "hset")

    with capture_logs() as logs:
        folder.write("g.py", "def g(): pass\n")
        second = publish()
        eventually(published.has("f", "g"))
        second.stop()  # it logs what it has published

    assert [entry["function"] for entry in logs if entry["event"] == "function_loaded"] == ["g"]
    assert (
        _calls(connection, "hset") - calls == 4
    )  # that g loads; its manifest, its version, since when


def _calls(connection: BlockingConnection, command: str) -> int:
    stats = connection.run(Command(("INFO", "commandstats"), bytes)).decode()
    [found] = [row for row in stats.splitlines() if row.startswith(f"cmdstat_{command}:")]
    return int(found.partition("calls=")[2].partition(",")[0])
