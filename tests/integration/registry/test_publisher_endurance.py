"""The publisher when folders, Redis and itself come and go."""

from __future__ import annotations

import threading
import time

from structlog.testing import capture_logs

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import read_manifests
from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command
from tests.support.published import Published
from tests.support.redis_server import start_redis
from tests.support.waiting import allowed, eventually

LIVE_WITHIN_S = 2.0


def test_a_folder_that_comes_later_is_published(tmp_path, publish, published):
    root = tmp_path / "later" / "functions"
    publish(root=root, rescan_s=60)

    root.mkdir(parents=True)
    (root / "f.py").write_text("def f(): pass\n")

    eventually(published.has("f"))


def test_a_folder_replaced_by_another_is_followed(folder, publish, published):
    folder.write("f.py", "def f(): pass\n")
    publish(rescan_s=60)
    eventually(published.has("f"))

    folder.root.rename(folder.root.with_name("old"))
    folder.write("g.py", "def g(): pass\n")
    eventually(published.has("g"))
    folder.write("h.py", "def h(): pass\n")

    eventually(published.has("g", "h"), within_s=LIVE_WITHIN_S)


def test_a_folder_that_is_away_withdraws_nothing(folder, publish, published):
    folder.write("f.py", "def f(): pass\n")
    publish(rescan_s=0.1)
    eventually(published.has("f"))
    with capture_logs() as logs:
        folder.root.rename(folder.root.with_name("away"))
        eventually(lambda: any(entry["event"] == "publisher_waits" for entry in logs))

    assert published.has("f")()


def test_links_that_swap_a_whole_folder_are_followed(folder, publish, published):
    folder.write(".one/f.py", "def f(): return 1\n")
    folder.write(".two/f.py", "def f(): return 2\n")
    (folder.root / "..data").symlink_to(".one")
    (folder.root / "f.py").symlink_to("..data/f.py")
    publish(rescan_s=60)
    eventually(published.has("f"))
    before = published.versions()["f"]

    (folder.root / "..next").symlink_to(".two")
    (folder.root / "..next").rename(folder.root / "..data")

    eventually(lambda: published.versions()["f"] != before, within_s=LIVE_WITHIN_S)


def test_a_file_that_lacked_something_is_tried_again(folder, publish, published):
    data = folder.root / "there.txt"
    folder.write(
        "f.py",
        "from pathlib import Path\nPath(__file__).with_name('there.txt').read_text()\n"
        "def f(): pass\n",
    )
    publish(rescan_s=0.1, retry_failed_s=0.2)
    eventually(lambda: published.error_of("f") == "FileNotFoundError")

    data.write_text("now")

    eventually(lambda: "f" in published.versions())


def test_a_redis_that_comes_late_dies_and_comes_back_empty_gets_the_functions(
    tmp_path, folder, publish
):
    folder.write("f.py", "def f(): pass\n")
    url = f"unix://{tmp_path}/redis.sock"
    publish(url=url, rescan_s=0.2)
    connection = BlockingConnection(url)
    published = Published(connection)

    for _ in range(2):
        server = start_redis(tmp_path)
        try:
            eventually(published.has("f"))
        finally:
            server.kill()
            server.wait()
            connection.close()


def test_start_and_stop_may_be_repeated(folder, publish, published):
    folder.write("f.py", "def f(): pass\n")
    publisher = publish()
    publisher.start()
    eventually(published.has("f"))
    threads = threading.active_count()

    start = time.monotonic()
    publisher.stop()
    publisher.stop()
    stopped_s = time.monotonic() - start
    folder.write("g.py", "def g(): pass\n")
    publisher.start()

    eventually(published.has("f", "g"))
    assert stopped_s < allowed(1)
    eventually(lambda: threading.active_count() <= threads)


def test_a_stopped_publisher_changes_nothing_more(folder, publish, published):
    folder.write("f.py", "def f(): pass\n")
    publisher = publish(rescan_s=0.05)
    eventually(published.has("f"))

    publisher.stop()
    folder.write("g.py", "def g(): pass\n")
    with capture_logs() as logs:
        publish(root=folder.root.with_name("elsewhere"), rescan_s=0.05)
        eventually(lambda: "publisher_waits" in [entry["event"] for entry in logs])

    assert published.has("f")()


def test_loaded_failed_and_withdrawn_are_logged_once(folder, publish, published):
    folder.write("good.py", "def good(): pass\n")
    folder.write("bad.py", "\nimport no_such_package\n")
    with capture_logs() as logs:
        publish(rescan_s=0.05, retry_failed_s=0.1)
        eventually(published.has("good", "bad"))
        (folder.root / "good.py").unlink()
        eventually(published.has("bad"))
        eventually(lambda: len(logs) >= 3)

    reported = {entry["event"]: entry for entry in logs if entry["event"].startswith("function_")}
    assert len(logs) == len(reported) == 3
    assert reported["function_loaded"]["function"] == "good"
    assert reported["function_withdrawn"]["function"] == "good"
    assert (reported["function_failed"]["file"], reported["function_failed"]["line"]) == (
        "bad.py",
        2,
    )
    assert reported["function_failed"]["error_type"] == "ModuleNotFoundError"


def test_a_manifest_of_another_release_is_written_again(folder, publish, published, connection):
    folder.write("f.py", "def f(): pass\n")
    for name in ("f", "stranger"):
        connection.run(Command(("HSET", Keys().build("functions"), name, b"not json"), int))

    publish()

    eventually(lambda: set(connection.run(read_manifests())) == {"f"})
    eventually(lambda: published.all()["f"].version)


def test_the_first_functions_of_a_folder_appear_together(folder, publish, published):
    folder.write("quick.py", "def quick(): pass\n")
    folder.write("slow.py", "import time\n\ntime.sleep(0.5)\n\n\ndef slow(): pass\n")

    publish()

    eventually(published.all)
    eventually(published.has("quick", "slow"), within_s=0.2)
