"""What attempts tell reaches Redis in order, whole and before their endings."""

from __future__ import annotations

import signal
import threading
import time

import psutil
import pytest

from runtime.broker.attempt import Attempt
from runtime.broker.holdings import Holdings
from runtime.broker.settler import Settler
from runtime.store.event_calls import read_events
from runtime.store.invocation_calls import Settlement
from runtime.store.line import Line
from runtime.worker import telling as telling_module
from runtime.worker.teller import Teller
from tests.support.life import WEEK_MS, Life
from tests.support.monitoring import monitored
from tests.support.redis_server import start_redis
from tests.support.waiting import eventually


@pytest.fixture
def teller(redis_url: str):
    made = Teller(Line(redis_url, timeout_s=0.3))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def claimed(life: Life):
    life.submit()
    return life.claim_one(lease_ms=60_000)


def events(life: Life, claimed) -> list[tuple[str, bytes]]:
    found = life.line.run(read_events(claimed.id, most_bytes=10**9)).entries
    return [(entry.kind, entry.data) for _, entry in found]


def numbers(life: Life, claimed) -> list[int]:
    found = life.line.run(read_events(claimed.id, most_bytes=10**9)).entries
    return [entry.number for _, entry in found]


def settle(url: str, claimed, telling, status: str = "succeeded") -> None:
    holdings = Holdings(1)
    attempt = Attempt(claimed)
    attempt.last_words = lambda is_final: telling.last_words(is_final=is_final)
    settlement = Settlement(
        id=claimed.id, token=claimed.token, status=status, ttl_ms=WEEK_MS, logs=b"line\n"
    )
    settler = Settler(Line(url), holdings)
    settler.settle(attempt, settlement)
    settler.close()


def test_what_is_told_is_written_while_the_attempt_runs(life: Life, teller: Teller, claimed):
    telling = teller.listen(claimed)
    telling.put("progress", b'{"done":1}')
    telling.put("item", b"1")
    telling.put("log", b"a line\n")

    eventually(lambda: len(events(life, claimed)) == 3)

    assert events(life, claimed) == [
        ("progress", b'{"done":1}'),
        ("item", b"1"),
        ("log", b"a line\n"),
    ]
    assert life.read(claimed.id).progress == b'{"done":1}'


def test_output_alone_is_written_after_a_moment(life: Life, teller: Teller, claimed):
    telling = teller.listen(claimed)

    telling.put("log", b"a")
    telling.put("log", b"b\n")

    eventually(lambda: events(life, claimed) == [("log", b"ab\n")])


def test_a_character_that_comes_in_two_pieces_stays_whole(life: Life, teller: Teller, claimed):
    telling = teller.listen(claimed)
    first, second = "é".encode()[:1], "é".encode()[1:]

    telling.put("log", b"x" + first)
    eventually(lambda: events(life, claimed))
    telling.put("log", second)
    eventually(lambda: len(events(life, claimed)) == 2)

    assert events(life, claimed) == [("log", b"x"), ("log", "é".encode())]


def test_many_are_grouped_and_keep_their_order(life: Life, redis_url: str, teller: Teller, claimed):
    telling = teller.listen(claimed)

    with monitored(redis_url.removeprefix("unix://")) as monitor:
        for number in range(5_000):
            telling.put("item", b"%d" % number)
        settle(redis_url, claimed, telling)

    items = b"\n".join(data for kind, data in events(life, claimed) if kind == "item")
    assert items == b"\n".join(b"%d" % number for number in range(5_000))
    assert numbers(life, claimed)[-1] == 5_000
    assert monitor.seen["append_events"] < 100


def test_all_is_written_before_the_ending(life: Life, redis_url: str, teller: Teller):
    for _ in range(30):
        life.submit()
        claimed = life.claim_one()
        telling = teller.listen(claimed)
        for number in range(10):
            telling.put("event", b"%d" % number)

        settle(redis_url, claimed, telling)

        assert [data for _, data in events(life, claimed)] == [b"%d" % n for n in range(10)]


def test_of_progress_that_was_not_written_the_last_is_enough(life: Life, redis_url: str, claimed):
    telling = Teller(Line(redis_url)).listen(claimed)  # one that does not write by itself
    for number in range(1_000):
        telling.put("progress", b'{"done":%d}' % number)
    telling.put("item", b"1")

    settle(redis_url, claimed, telling)

    assert events(life, claimed) == [("progress", b'{"done":999}'), ("item", b"1")]


@pytest.mark.parametrize(
    ("status", "told"),
    [("succeeded", 0), ("failed", 0), ("cancelled", 0), ("retrying", 1), ("lost", 1)],
)
def test_a_little_output_goes_with_the_record_when_that_ends(
    life: Life, redis_url: str, claimed, status: str, told: int
):
    telling = Teller(Line(redis_url)).listen(claimed)
    telling.put("log", b"line\n")

    settle(redis_url, claimed, telling, status)

    assert len(events(life, claimed)) == told
    assert life.read(claimed.id).logs == b"line\n"


def test_an_attempt_that_tells_nothing_or_prints_a_little_costs_one_command(
    life: Life, redis_url: str, teller: Teller
):
    claims = []
    for _ in range(2):
        life.submit()
        claims.append(life.claim_one())
    silent, printing = map(teller.listen, claims)
    printing.put("log", b"a line\n")

    with monitored(redis_url.removeprefix("unix://")) as monitor:
        settle(redis_url, claims[0], silent)
        settle(redis_url, claims[1], printing)
        eventually(lambda: not teller._due)  # it looks, and finds it told

    assert monitor.seen["settle_invocations"] == 2
    assert monitor.seen["append_events"] == 0


def test_an_attempt_that_lost_its_lease_tells_nothing_more(life: Life, teller: Teller, claimed):
    telling = teller.listen(claimed)
    life.settle(claimed, "lost")

    telling.put("event", b"1")
    eventually(lambda: telling._is_closed)
    telling.put("event", b"2")

    assert events(life, claimed) == []
    assert telling.last_words(is_final=True) == []


def test_late_notes_of_threads_that_a_function_left_behind_are_dropped(
    life: Life, redis_url: str, teller: Teller, claimed
):
    telling = teller.listen(claimed)
    settle(redis_url, claimed, telling)

    telling.put("event", b"1")

    assert events(life, claimed) == []


@pytest.fixture
def frozen(tmp_path):
    """A Redis that can be stopped and go on: its URL, its process, and a life on it."""
    server = start_redis(tmp_path)
    url = f"unix://{tmp_path / 'redis.sock'}"
    line = Line(url)
    yield url, psutil.Process(server.pid), Life(line)
    line.close()
    server.send_signal(signal.SIGCONT)
    server.kill()
    server.wait()


def test_redis_gone_for_a_while_misses_and_doubles_nothing(frozen):
    url, redis, life = frozen
    life.submit()
    claimed = life.claim_one(lease_ms=60_000)
    teller = Teller(Line(url, timeout_s=0.1))
    teller.start()
    telling = teller.listen(claimed)
    telling.put("item", b"0")
    eventually(lambda: events(life, claimed))

    redis.suspend()
    for number in range(1, 200):
        telling.put("item", b"%d" % number)
        time.sleep(0.002)  # some fall into a writing that fails
    redis.resume()
    settle(url, claimed, telling)
    teller.stop()

    items = b"\n".join(data for _, data in events(life, claimed))
    assert items.split(b"\n") == [b"%d" % number for number in range(200)]
    assert numbers(life, claimed)[-1] == 200


def test_events_while_redis_is_away_are_bounded_and_what_is_left_out_is_told(frozen, monkeypatch):
    monkeypatch.setattr(telling_module, "_PATIENCE_S", 0.05)
    url, redis, life = frozen
    life.submit()
    claimed = life.claim_one(lease_ms=60_000)
    teller = Teller(Line(url, timeout_s=0.1))
    teller.start()
    telling = teller.listen(claimed)

    redis.suspend()
    for number in range(60):
        telling.put("item", b"%d" % number)
        telling.put("event", b'"%d %s"' % (number, b"x" * 50_000))
    waiting_bytes = sum(note.size for note in telling._waiting)
    redis.resume()
    settle(url, claimed, telling)
    teller.stop()

    found = events(life, claimed)
    assert waiting_bytes < 1.2 * telling_module.MOST_WAITING_BYTES
    assert any(b"events left out" in data for kind, data in found if kind == "log")
    items = b"\n".join(data for kind, data in found if kind == "item")
    assert items.split(b"\n") == [b"%d" % number for number in range(60)]
    assert found[-1][1].startswith(b'"59 ')


def test_events_faster_than_they_are_written_wait_and_none_is_left_out(
    life: Life, redis_url: str, teller: Teller, claimed, monkeypatch
):
    monkeypatch.setattr(telling_module, "MOST_WAITING_BYTES", 20_000)
    telling = teller.listen(claimed)
    for number in range(300):
        telling.put("event", b'"%d %s"' % (number, b"x" * 1_000))

    settle(redis_url, claimed, telling)

    assert len(events(life, claimed)) == 300
    assert {kind for kind, _ in events(life, claimed)} == {"event"}


def test_many_attempts_share_round_trips(life: Life, redis_url: str, teller: Teller):
    claims = []
    for _ in range(20):
        life.submit()
        claims.append(life.claim_one(lease_ms=60_000))
    tellings = [teller.listen(claimed) for claimed in claims]

    def tell(telling):
        for number in range(50):
            telling.put("event", b"%d" % number)
            time.sleep(0.002)

    threads = [threading.Thread(target=tell, args=(t,)) for t in tellings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for claimed, telling in zip(claims, tellings, strict=True):
        settle(redis_url, claimed, telling)

    for claimed in claims:
        assert [data for _, data in events(life, claimed)] == [b"%d" % n for n in range(50)]
