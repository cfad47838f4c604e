"""Cutting rows into batches."""

from __future__ import annotations

import pytest

from gateway.parsing.idempotency import read_idempotency_key
from penstock.client.batch_parts import cut_parts, key_of_part


def test_a_part_holds_so_many_rows_and_bytes():
    many = ["x" * 9] * 25

    by_count = [len(part) for part in cut_parts(many, size_of=len, most=10)]
    by_size = [len(part) for part in cut_parts(many, size_of=len, most_bytes=100)]
    one_too_long = [len(part) for part in cut_parts(many[:2], size_of=len, most_bytes=5)]

    assert by_count == [10, 10, 5]
    assert by_size == [10, 10, 5]
    assert one_too_long == [1, 1]


def test_rows_are_read_only_as_far_as_a_part_needs_them():
    read = []
    rows = (read.append(number) or str(number) for number in range(100))

    first = next(cut_parts(rows, size_of=len, most=10))

    assert (len(first), len(read)) == (10, 11)


@pytest.mark.parametrize("key", ["nightly", "k" * 255, '"quoted"'])
def test_every_part_has_a_key_of_its_own_that_the_gateway_takes(key: str):
    keys = [key_of_part(key, number) for number in (1, 2, 3)]

    assert keys[0] == key
    assert keys == [key_of_part(key, number) for number in (1, 2, 3)]
    assert len({read_idempotency_key(one) for one in keys}) == 3
