"""Publishers that follow each other: another folder changes nothing unless it is told to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from runtime.registry.folder_comparison import FolderComparison
from tests.support.waiting import eventually

LIVE_WITHIN_S = 2.0


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The folder of another worker."""
    root = tmp_path / "other"
    root.mkdir()
    return root


@pytest.fixture
def settled(folder, publish, published):
    """Three files as the first publisher left them, which has stopped."""
    for name in ("one", "two", "three"):
        folder.write(f"{name}.py", f"def {name}(): return 1\n")
    first = publish(rescan_s=60)
    eventually(published.has("one", "two", "three"))
    first.stop()
    return published.versions()


def looked(publisher) -> bool:
    return publisher.standing is not None and publisher.standing.state != "unknown"


def test_an_empty_folder_withdraws_nothing(settled, publish, published, other):
    with capture_logs() as logs:
        second = publish(root=other, rescan_s=0.1)
        eventually(lambda: looked(second))

    assert published.versions() == settled
    assert second.standing.state == "empty"
    assert not second.standing.may_replace
    assert any(line["event"] == "functions_left_alone" for line in logs)


def test_a_folder_that_differs_changes_nothing_until_it_changes(settled, publish, published, other):
    (other / "one.py").write_text("def one(): return 'changed'\n")
    (other / "four.py").write_text("def four(): pass\n")
    second = publish(root=other, rescan_s=60)
    eventually(lambda: looked(second))

    assert published.versions() == settled
    assert second.standing.state == "differs"
    assert second.standing.differing == ("four.py", "one.py", "three.py", "two.py")

    (other / "one.py").write_text("def one(): return 'changed again'\n")
    (other / "five.py").write_text("def five(): pass\n")

    eventually(
        lambda: published.versions()["one"] != settled["one"] and "five" in published.versions(),
        within_s=LIVE_WITHIN_S,
    )
    assert {name: v for name, v in published.versions().items() if name in ("two", "three")} == {
        name: settled[name] for name in ("two", "three")
    }
    assert "four" not in published.all()

    (other / "five.py").unlink()
    eventually(lambda: "five" not in published.all(), within_s=LIVE_WITHIN_S)


def test_an_equal_folder_takes_over_and_what_is_removed_from_it_is_withdrawn(
    settled, folder, publish, published, other
):
    shutil.copytree(folder.root, other, dirs_exist_ok=True)
    second = publish(root=other, rescan_s=60)
    eventually(lambda: looked(second))
    assert second.standing.state == "published"

    (other / "two.py").unlink()

    eventually(published.has("one", "three"), within_s=LIVE_WITHIN_S)


def test_a_folder_that_empties_while_it_is_watched_withdraws_nothing_until_told(
    settled, folder, publish, published
):
    publisher = publish(rescan_s=0.1)
    eventually(lambda: looked(publisher))
    hidden = folder.root.with_name("hidden")
    hidden.mkdir()

    folder.root.rename(hidden / "functions")
    folder.root.mkdir()
    eventually(lambda: publisher.standing.state == "empty")
    assert published.versions() == settled

    publisher.request_publish(withdraw_missing=True)
    eventually(published.has())


@pytest.mark.parametrize(
    ("withdraw_missing", "names"), [(True, {"one"}), (False, {"one", "two", "three"})]
)
def test_who_is_told_publishes_its_folder(
    settled, publish, published, other, withdraw_missing, names
):
    (other / "one.py").write_text("def one(): return 'changed'\n")
    second = publish(root=other, rescan_s=60)
    eventually(lambda: looked(second))

    second.request_publish(withdraw_missing=withdraw_missing)

    eventually(lambda: published.versions().get("one") != settled["one"])
    eventually(published.has(*names))
    eventually(lambda: second.standing.may_replace)
    second.stop()
    third = publish(root=other, rescan_s=60)
    eventually(lambda: looked(third))
    assert set(published.all()) == names


def test_a_worker_beside_the_publisher_says_that_its_files_differ_and_when_they_agree_again(
    settled, publish, other, folder, connection
):
    (other / "one.py").write_text("def one(): return 'changed'\n")
    onlooker = FolderComparison(connection, other, worker="w")
    with capture_logs() as logs:
        onlooker.step()
        assert onlooker.standing.state == "unknown"  # a look may fall between change and publishing
        assert logs == []
        onlooker.step()
        onlooker.step()
        assert [one["event"] for one in logs] == ["functions_differ"]
        assert onlooker.standing.state == "differs"
        shutil.copytree(folder.root, other, dirs_exist_ok=True)
        onlooker.step()
        onlooker.step()
        assert [one["event"] for one in logs] == ["functions_differ", "functions_agree"]

    assert onlooker.standing.state == "published"
    warning = logs[0]
    assert "one.py" in warning["files"]
    assert "penstock publish --worker w" in warning["hint"]


def test_an_order_lasts_until_what_it_asks_for_is_recorded(settled, publish, other):
    # Until then nothing else says that this worker is to stay the publisher.
    (other / "one.py").write_text("import time\ntime.sleep(0.5)\ndef one(): return 'changed'\n")
    second = publish(root=other, rescan_s=60)
    second.request_publish(withdraw_missing=True)

    states = []

    def is_carried_out() -> bool:
        ordered = second.has_orders
        states.append(ordered or bool(second.standing and second.standing.may_replace))
        return not ordered

    eventually(is_carried_out)

    assert all(states)
    assert second.standing.may_replace
