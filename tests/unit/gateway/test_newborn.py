"""A newborn is written as the view writes it, only faster."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.newborn import NewbornWriter
from runtime.invocations.record import record_at_birth
from runtime.invocations.submission import NO_WISHES, Submission, Wishes
from runtime.invocations.view import invocation_json

MANY = NewbornWriter()


def submission(**fields) -> Submission:
    usual = {"function": "f", "version": "v", "queue": "q", "arguments": b"{}"}
    return Submission(**{**usual, **fields})


WISHED = [
    NO_WISHES,
    Wishes(callback="https://example.com/a?b=%25&c=\u00e9"),
    Wishes(callback='https://example.com/"quoted"\\'),
    Wishes(priority=9, key="k"),
    Wishes(callback="https://example.com/", tags=("a",), max_age_ms=5),
]


@given(
    caller=st.sampled_from([None, "me", "team_a.web"]),
    wishes=st.sampled_from(WISHED),
    function=st.text(min_size=1, max_size=9),
    queue=st.text(max_size=9),
    arguments=st.sampled_from([b"{}", b'{"a": "%b %s"}', b'{"x":"1970-01-01T00:00:00.000Z"}']),
    created_at_ms=st.integers(0, 4_000_000_000_000),
)
def test_it_equals_the_view_of_the_record(
    function, queue, arguments, created_at_ms, caller, wishes
):
    born = submission(
        function=function, queue=queue, arguments=arguments, caller=caller, wishes=wishes
    )

    written = MANY.write(born, created_at_ms)

    assert written == invocation_json(record_at_birth(born, created_at_ms))


@pytest.mark.parametrize(
    "fields",
    [
        {"wishes": Wishes(callback="https://example.com/")},
        {"wishes": Wishes(delay_ms=5)},
        {"wishes": Wishes(run_at_ms=2)},
        {"wishes": Wishes(tags=("a", "b"), callback="https://example.com/")},
        {"request": b'{"method":"POST","path":"/f","query":"","headers":[]}'},
        {"secrets": b'[["a"]]', "arguments": b'{"a":1}'},
        {"retry_of": "x"},
    ],
)
def test_a_special_birth_is_written_in_full(fields):
    born = submission(**fields)

    assert MANY.write(born, 1) == invocation_json(record_at_birth(born, 1))
