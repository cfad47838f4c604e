"""Bodies on `/function/{name}`: a long one is read in several turns of the event loop."""

from __future__ import annotations

import asyncio

import pytest

from gateway.parsing.arguments import RawRequest
from gateway.parsing.json_body import LONG_BYTES
from gateway.parsing.lenient_arguments import read_leniently
from runtime.registry.manifest import Manifest

ANY = {"type": "object", "properties": {"all": {}}}
LONG = b'{"all":[%b1]}' % (b"1," * LONG_BYTES)


def function(*, takes_request: bool) -> Manifest:
    injected = {"request": "request"} if takes_request else {}
    return Manifest(name="wide", version="v1", file="wide.py", parameters=ANY, injected=injected)


def request(content_type: str) -> RawRequest:
    return RawRequest(
        method="POST", path="/", query="", headers=[], content_type=content_type, body=LONG
    )


@pytest.mark.parametrize(
    ("content_type", "takes_request"),
    [
        ("", False),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        ("application/json", False),
        ("application/json", True),
    ],
)
def test_others_get_their_turns_while_a_long_body_is_read(content_type: str, takes_request: bool):
    async def turns_of_others() -> int:
        manifest = function(takes_request=takes_request)
        reading = asyncio.create_task(read_leniently(manifest, request(content_type)))
        turns = 0
        while not reading.done():
            await asyncio.sleep(0)
            turns += 1
        assert len(reading.result().decoded["all"]) == LONG_BYTES + 1
        return turns

    assert asyncio.run(turns_of_others()) >= 3
