"""What a gateway does with what it cannot read, and with what it did not hear."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command
from tests.e2e.gateway.conftest import GREET
from tests.support.gateway_process import running_gateway
from tests.support.waiting import allowed, eventually

UNREADABLE = {
    "a queue that is a number": b'{"name":"zz","version":"a","file":"z","options":{"queue":5}}',
    "no JSON": b"\x00\xff",
    "nothing": b"",
    "a list": b"[]",
    "a member missing": b'{"version":"a"}',
}


def say(connection: BlockingConnection, *words: object) -> object:
    return connection.run(Command(words, lambda reply: reply))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_manifest_that_cannot_be_read_harms_no_other(redis_url, name: str):
    with running_gateway(redis_url) as gateway:
        gateway.publish(GREET)
        say(gateway.connection, "HSET", Keys().build("functions"), "zz", UNREADABLE[name])
        say(gateway.connection, "PUBLISH", Keys().build("news"), "")
        eventually(lambda: "manifest_unreadable" in gateway.log.read_text())

        gateway.publish(replace(GREET, name="later"))

        called = httpx.post(f"{gateway.url}/functions/later", json={"name": "x"})
        unreadable = httpx.post(f"{gateway.url}/functions/zz", json={})
        said = gateway.log.read_text().count("manifest_unreadable")
    assert called.status_code == 202
    assert unreadable.status_code == 503
    assert unreadable.json()["code"] == "function_unavailable"
    assert said == 1


def test_waiters_whose_notice_was_lost_are_looked_for_until_that_works(redis_url, connection):
    """The first look after a reconnection fails, as with a Redis that is still loading."""
    say(connection, "ACL", "SETUSER", "gateway", "on", ">secret", "~*", "&*", "+@all")
    url = redis_url.replace("unix://", "unix://gateway:secret@")
    with running_gateway(url) as gateway, ThreadPoolExecutor(1) as pool:
        gateway.connection.close()
        gateway.connection = connection
        gateway.publish(GREET)
        waiting = pool.submit(
            httpx.post,
            f"{gateway.url}/functions/greet",
            json={"name": "x"},
            headers={"Prefer": "wait=50"},
            timeout=60,
        )
        claimed = gateway.claim()
        say(connection, "ACL", "SETUSER", "gateway", "-evalsha", "-hgetall", "-hmget")
        say(connection, "CLIENT", "KILL", "TYPE", "pubsub")
        gateway.finish(claimed, result=b'"done"')
        eventually(lambda: gateway.log.read_text().count("waiters_unread") >= 2)
        assert not waiting.done()
        began_at = time.monotonic()

        say(connection, "ACL", "SETUSER", "gateway", "+@all")

        answer = waiting.result()
        took_s = time.monotonic() - began_at
    say(connection, "ACL", "DELUSER", "gateway")
    assert answer.json()["result"] == "done"
    assert took_s < allowed(10)
