"""Splitting and checking a batch: exact, bounded, and never long on the loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.parsing.batch_body import MOST_ITEMS, read_items
from gateway.problems import ProblemError
from runtime.errors import ArgumentsError
from runtime.registry.manifest import Manifest

ANY = Manifest(name="any", version="1", file="any.py", parameters={"type": "object"})
STRICT = Manifest(
    name="strict",
    version="1",
    file="strict.py",
    parameters={
        "type": "object",
        "properties": {"n": {"type": "integer"}, "text": {"type": "string"}},
        "required": ["n"],
        "additionalProperties": False,
    },
)
JSON, NDJSON = "application/json", "application/x-ndjson; charset=utf-8"
LARGEST = 16 * 1024 * 1024


def read_batch_body(body: bytes, media_type: str = JSON, manifest: Manifest = ANY) -> list[bytes]:
    return asyncio.run(read_items(manifest, media_type, body, longest_item_bytes=1024 * 1024))


objects = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=5),
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=9),
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # its alphabet is made at the first use
@given(st.lists(objects, min_size=1, max_size=8), st.booleans())
def test_both_forms_give_what_was_put_in(items, ascii_only):
    texts = [json.dumps(item, ensure_ascii=ascii_only).encode() for item in items]

    from_array = read_batch_body(b" [ " + b" , ".join(texts) + b" ]\n")
    from_lines = read_batch_body(b"\r\n".join(texts), NDJSON)

    assert [json.loads(item) for item in from_array] == items
    assert [item.strip() for item in from_lines] == texts


@given(st.binary(max_size=60), st.sampled_from([JSON, NDJSON]))
def test_no_bytes_at_all_raise_anything_else(body, media_type):
    with contextlib.suppress(ProblemError, ArgumentsError):
        assert read_batch_body(body, media_type)


def test_faults_are_many_but_not_all():
    with pytest.raises(ArgumentsError) as caught:
        read_batch_body(json.dumps([{"n": "x"}] * 1_000).encode(), manifest=STRICT)

    assert len(caught.value.faults) == 50
    assert caught.value.faults[-1].pointer == "/49/n"


def filled_batch(item: bytes, separator: bytes) -> bytes:
    return separator.join([item] * MOST_ITEMS)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"[" + filled_batch(b'{"n":1,"text":"' + b"x" * 1600 + b'"}', b",") + b"]", JSON),
        (b"[" + filled_batch(b'{"n":1,"text":"' + b"\\u00e9" * 260 + b'"}', b",") + b"]", JSON),
        (filled_batch(b'{"n":1,"text":"' + b"x" * 1600 + b'"}', b"\n"), NDJSON),
        (b"[" + b"{}," * 5_000_000 + b"{}]", JSON),
        (b"\n" * LARGEST, NDJSON),
        (b"[" * LARGEST, JSON),
    ],
)
def test_the_largest_bodies_leave_the_loop_to_others(body, media_type):
    assert len(body) <= LARGEST + 1

    async def measure() -> float:
        """Return the longest stretch in seconds of this thread's own time."""
        longest_s = 0.0
        reading = asyncio.create_task(
            read_items(STRICT, media_type, body, longest_item_bytes=1024 * 1024)
        )
        while not reading.done():
            began_at = time.thread_time()
            await asyncio.sleep(0)
            longest_s = max(longest_s, time.thread_time() - began_at)
        reading.exception()
        return longest_s

    asyncio.run(measure())  # the validator and the decoder are made once
    assert min(asyncio.run(measure()) for _ in range(3)) < 0.05
