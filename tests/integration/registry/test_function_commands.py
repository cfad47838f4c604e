"""publish, annotate, withdraw: the news, and how long a source lives."""

from __future__ import annotations

import pytest

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import (
    publish_function,
    read_manifests,
    read_published_at,
    read_source,
    read_versions,
    set_load_error,
    unpublish_function,
)
from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command
from tests.support.listener import Listener
from tests.support.waiting import eventually

DAY_MS = 24 * 60 * 60 * 1000


def publish_version(
    connection: BlockingConnection, name: str, version: str, manifest: bytes = b"{}"
) -> bool:
    return connection.run(
        publish_function(
            name, manifest=manifest, version=version, source=b"source of " + version.encode()
        )
    )


def life_ms(connection: BlockingConnection, version: str) -> int:
    """-1: for ever; -2: gone."""
    return connection.run(Command(("PTTL", Keys().build("source", version)), int))


def in_ms(reply: list[bytes]) -> int:
    return int(reply[0]) * 1000 + int(reply[1]) // 1000


@pytest.fixture
def news(redis_url: str, connection: BlockingConnection):
    """Count what was published on the news channel since last asked."""
    listener = Listener(redis_url, Keys().build("news"))
    yield lambda: len(listener.all())
    listener.close()


def test_publishing_writes_manifest_version_and_source_and_tells(connection, news):
    assert publish_version(connection, "f", "v1") is True

    assert connection.run(read_manifests()) == {"f": b"{}"}
    assert connection.run(read_versions()) == {"f": "v1"}
    assert connection.run(read_source("v1")) == b"source of v1"
    assert life_ms(connection, "v1") == -1
    assert news() == 1


def test_publishing_the_same_again_is_no_news(connection, news):
    publish_version(connection, "f", "v1")
    news()

    assert publish_version(connection, "f", "v1") is False

    assert news() == 0


def test_a_superseded_source_lives_a_day_longer(connection):
    publish_version(connection, "f", "v1")

    publish_version(connection, "f", "v2")

    assert DAY_MS - 5_000 < life_ms(connection, "v1") <= DAY_MS
    assert life_ms(connection, "v2") == -1


def test_a_version_that_serves_again_lives_without_limit_again(connection):
    publish_version(connection, "f", "v1")
    publish_version(connection, "f", "v2")

    publish_version(connection, "f", "v1")

    assert life_ms(connection, "v1") == -1
    assert life_ms(connection, "v2") > 0


def test_a_source_lives_while_any_function_of_its_file_is_served(connection):
    publish_version(connection, "f", "v1")
    publish_version(connection, "g", "v1")

    publish_version(connection, "f", "v2")
    assert life_ms(connection, "v1") == -1

    connection.run(unpublish_function("g"))
    assert life_ms(connection, "v1") > 0


def test_a_source_that_was_lost_is_written_again(connection):
    publish_version(connection, "f", "v1")
    connection.run(Command(("DEL", Keys().build("source", "v1")), int))

    assert publish_version(connection, "f", "v1") is True

    assert connection.run(read_source("v1")) == b"source of v1"


def test_it_is_kept_since_when_a_version_serves(connection):
    publish_version(connection, "f", "v1")
    published = connection.run(read_published_at())
    assert abs(published["f"] - connection.run(Command(("TIME",), in_ms))) < 5_000

    publish_version(connection, "f", "v1", b"described anew")
    assert connection.run(read_published_at()) == published

    eventually(lambda: connection.run(Command(("TIME",), in_ms)) > published["f"])
    publish_version(connection, "f", "v2")
    assert connection.run(read_published_at())["f"] > published["f"]

    connection.run(unpublish_function("f"))
    assert connection.run(read_published_at()) == {}


def test_another_source_under_the_same_version_replaces_the_first(connection):
    publish_version(connection, "f", "v1")

    connection.run(publish_function("f", manifest=b"{}", version="v1", source=b"described anew"))

    assert connection.run(read_source("v1")) == b"described anew"


def test_annotating_changes_the_manifest_and_nothing_else(connection, news):
    publish_version(connection, "f", "v1")
    news()

    assert connection.run(set_load_error("f", manifest=b'{"error":1}')) is True
    assert connection.run(set_load_error("f", manifest=b'{"error":1}')) is False

    assert connection.run(read_manifests()) == {"f": b'{"error":1}'}
    assert connection.run(read_versions()) == {"f": "v1"}
    assert news() == 1


def test_withdrawing_takes_manifest_and_version_and_leaves_the_source_a_day(connection, news):
    publish_version(connection, "f", "v1")
    news()

    assert connection.run(unpublish_function("f")) is True
    assert connection.run(unpublish_function("f")) is False

    assert connection.run(read_manifests()) == {}
    assert connection.run(read_versions()) == {}
    assert 0 < life_ms(connection, "v1") <= DAY_MS
    assert news() == 1
