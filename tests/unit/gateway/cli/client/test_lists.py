"""Reading long lists."""

from __future__ import annotations

import json

from gateway.cli.client.api_client import System
from gateway.cli.client.lists import read_list
from tests.support.receiver import receiving, status


def page_of(*ids: str, following: str | None) -> bytes:
    return json.dumps({"items": [{"id": one} for one in ids], "next": following}).encode()


def test_pages_are_read_until_there_is_enough_even_over_empty_ones():
    with receiving() as receiver:
        for path, body in (
            ("/invocations?tag=a+b&limit=3", page_of("1", "2", following="c1")),
            ("/invocations?tag=a+b&limit=3&cursor=c1", page_of(following="c2")),
            ("/invocations?tag=a+b&limit=3&cursor=c2", page_of("3", "4", following="c3")),
        ):
            receiver.behave(path, status(200, "Connection: close", body=body))

        found = read_list(System(receiver.url("")), "/invocations", [("tag", "a b")], 3)

    assert [item["id"] for item in found] == ["1", "2", "3"]
    assert len(receiver.requests) == 3


def test_the_end_of_a_list_is_the_end():
    with receiving() as receiver:
        body = page_of("1", following=None)
        receiver.behave("/deliveries?limit=5", status(200, "Connection: close", body=body))

        found = read_list(System(receiver.url("")), "/deliveries", [], 5)

    assert [item["id"] for item in found] == ["1"]
