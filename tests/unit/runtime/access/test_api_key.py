"""The text of a key: found by scanners, and a typing mistake in it is told apart."""

from __future__ import annotations

import hashlib
import re

from hypothesis import given
from hypothesis import strategies as st

from runtime.access.api_key import (
    KEY_PATTERN,
    digest_of_session,
    generate_key_text,
    generate_session_text,
    parse_key_text,
    presumed_id,
)

KEY = generate_key_text()
WRITTEN = KEY.write()
LETTERS = st.characters(min_codepoint=48, max_codepoint=122)


def test_what_is_written_is_read_again_and_what_is_kept_is_a_digest():
    assert parse_key_text(WRITTEN) == KEY
    assert KEY.digest() == hashlib.sha256(WRITTEN.encode()).hexdigest()
    assert presumed_id(WRITTEN) == KEY.id
    assert KEY.secret not in repr(KEY)


def test_scanners_can_find_it_and_no_two_are_alike():
    drawn = {generate_key_text().write() for _ in range(50)}

    assert len(drawn) == 50
    assert all(re.fullmatch(KEY_PATTERN, one) for one in drawn)


@given(at=st.integers(0, len(WRITTEN) - 1), letter=LETTERS)
def test_one_wrong_character_makes_it_no_key(at: int, letter: str):
    mistyped = WRITTEN[:at] + letter + WRITTEN[at + 1 :]

    assert (parse_key_text(mistyped) is None) == (mistyped != WRITTEN)


@given(at=st.integers(0, len(WRITTEN) - 2))
def test_two_characters_in_the_wrong_order_make_it_no_key(at: int):
    swapped = WRITTEN[:at] + WRITTEN[at + 1] + WRITTEN[at] + WRITTEN[at + 2 :]

    assert (parse_key_text(swapped) is None) == (swapped != WRITTEN)


@given(text=st.text(max_size=100))
def test_other_text_is_no_key_and_no_session(text: str):
    assert parse_key_text(text) is None
    assert digest_of_session(text) is None


def test_a_session_is_kept_as_a_digest():
    text = generate_session_text()

    assert digest_of_session(text) == hashlib.sha256(text.encode()).hexdigest()
    assert digest_of_session(text[:-1]) is None
