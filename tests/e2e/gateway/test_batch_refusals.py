"""What is no batch, or a wrong one, is refused whole, and told where."""

from __future__ import annotations

import time

import pytest

from tests.e2e.gateway.answers import code_of
from tests.support.batch_rows import JSON, NDJSON, PATH, count_waiting
from tests.support.waiting import allowed

pytestmark = pytest.mark.usefixtures("rows")


@pytest.mark.parametrize(
    ("body", "headers", "pointers"),
    [
        (b'[{"width": 1}, {"width": "x"}, {}]', JSON, ["/1/width", "/2/width"]),
        (b'{"width": 1}\n\n{"width": 1, "hight": 2}', NDJSON, ["/1/hight"]),
        (b'[{"width": 1}, 5, null, [1]]', JSON, ["/1", "/2", "/3"]),
        (b'{"width": 1}\n5', NDJSON, ["/1"]),
    ],
)
def test_one_wrong_item_refuses_all_and_is_named(gateway, http, body, headers, pointers):
    answer = http.post(PATH, content=body, headers=headers)

    assert code_of(answer) == (422, "arguments_invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert count_waiting(gateway) == 0


@pytest.mark.parametrize(
    ("body", "headers", "word"),
    [
        (b'[{"width": 1},]', JSON, "byte"),
        (b"[", JSON, "truncated"),
        (b'[{"width": 1}, {"width": 1, "width": 2}]', JSON, "Item 1: Duplicate key"),
        (b'[{"text": "\xff"}]', JSON, "UTF-8"),
        (b'[{"width": NaN}]', JSON, "byte 11"),
        (b'{"width": 1}\n{"width": 1', NDJSON, "Line 2"),
        (b"\xef\xbb\xbf[]", JSON, "byte 0"),
        (b'[{"width": ' + b"[" * 70 + b"]" * 70 + b"}]", JSON, "64"),
        (b"[" * 100_000, JSON, "64"),
    ],
)
def test_what_is_not_strict_json_is_400_and_says_where(gateway, http, body, headers, word):
    answer = http.post(PATH, content=body, headers=headers)

    assert code_of(answer) == (400, "invalid_json")
    assert word in answer.json()["detail"]
    assert count_waiting(gateway) == 0


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"[]", JSON),
        (b"", NDJSON),
        (b"\n \n", NDJSON),
        (b'{"width": 1}', JSON),
        (b"[" + b"{}," * 10_000 + b"{}]", JSON),
        (b"{}\n" * 10_001, NDJSON),
        (b"\n" * 1_000_000, NDJSON),
        (b"[" + b"0," * 5_000_000 + b"0]", JSON),
    ],
)
def test_a_batch_is_an_array_of_one_to_ten_thousand(gateway, http, body, headers):
    began_at = time.monotonic()
    answer = http.post(PATH, content=body, headers=headers)

    assert code_of(answer) == (422, "batch_invalid")
    assert count_waiting(gateway) == 0
    assert time.monotonic() - began_at < allowed(2)


def test_what_else_a_batch_is_refused_for(http):
    assert code_of(http.post(PATH, content=b"a=1", headers={"Content-Type": "text/plain"})) == (
        415,
        "unsupported_media_type",
    )
    assert code_of(http.post("/functions/hook/batch", json=[{}])) == (422, "batch_invalid")
    assert code_of(http.post("/functions/nobody/batch", json=[{}])) == (404, "function_not_found")
    assert code_of(http.post("/functions/broken/batch", json=[{}]))[1] == "function_unavailable"
    assert code_of(http.post(f"{PATH}?prioritty=1", json=[{"width": 1}]))[1] == "parameter_invalid"
    long_item = [{"width": 1, "text": "x" * 1_100_000}]
    assert http.post(PATH, json=long_item).json()["errors"][0]["pointer"] == "/0"
