"""Which files a publisher may touch: a folder that differs changes nothing by taking over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.registry.publication import Publication
from runtime.registry.publish_policy import Authority

HERE, THERE = "one:/functions", "two:/functions"
folders = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["v1", "v2", "v3"]))


def last(files, folder=THERE, kept=()):
    return Publication(folder=folder, files=dict(files), kept=tuple(kept))


def published_after(authority: Authority, mine, published):
    """What is published when a publisher has done all that its authority allows."""
    left = authority.left_alone
    kept = {file: version for file, version in published.items() if file in left}
    return {file: version for file, version in mine.items() if file not in left} | kept


@given(mine=folders, published=folders)
def test_taking_over_with_another_folder_changes_nothing(mine, published):
    authority = Authority(HERE)

    authority.decide(mine, published, last(published))

    if published:
        assert published_after(authority, mine, published) == published
        assert authority.next_publication(mine, last(published)).files == published


@given(mine=folders, published=folders, later=folders)
def test_only_files_that_changed_under_its_eyes_change(mine, published, later):
    authority = Authority(HERE)
    authority.decide(mine, published, last({**published, "z": "v1", "zz": "v1"}))
    before = {**published, "z": "v1", "zz": "v1"}

    authority.decide(later, before, last(before))

    found = published_after(authority, later, before)
    if later or len(mine) < 2:
        for file in before.keys() | later.keys():
            changed = mine.get(file) != later.get(file)
            assert found.get(file) == (later if changed else before).get(file)
    else:
        assert found == before


@given(mine=folders, published=folders)
def test_the_folder_that_was_published_last_has_its_way(mine, published):
    authority = Authority(HERE)

    authority.decide(mine, published, last(published, folder=HERE))

    is_suspicious = not mine and len(published) > 1
    assert published_after(authority, mine, published) == (published if is_suspicious else mine)


@given(mine=folders, published=folders)
def test_an_operator_who_says_so_has_his_way_but_an_empty_folder_withdraws_at_most_one_file(
    mine, published
):
    authority = Authority(HERE, is_certain=True)

    authority.decide(mine, published, last(published))

    is_suspicious = not mine and len(published) > 1
    assert published_after(authority, mine, published) == (published if is_suspicious else mine)


@given(mine=folders, published=folders)
def test_who_is_told_to_publish_replaces_everything_and_keeps_what_is_missing_unless_told(
    mine, published
):
    for withdraw_missing in (False, True):
        authority = Authority(HERE)
        authority.decide(mine, published, last(published))

        authority.grant(mine, published, withdraw_missing=withdraw_missing)
        authority.decide(mine, published, last(published))

        expected = mine if withdraw_missing else {**published, **mine}
        assert published_after(authority, mine, published) == expected
        assert authority.next_publication(mine, last(published)).folder == HERE


@given(mine=folders, published=folders)
def test_what_was_kept_by_choice_is_kept_after_a_restart_too(mine, published):
    first = Authority(HERE)
    first.grant(mine, published, withdraw_missing=False)
    first.decide(mine, published, last(published))
    left = first.next_publication(mine, last(published))

    second = Authority(HERE)
    second.decide(mine, left.files, left)

    assert published_after(second, mine, left.files) == {**published, **mine}


def test_a_folder_that_becomes_empty_at_once_is_not_believed_and_one_file_is():
    authority = Authority(HERE)
    files = {"a": "v1", "b": "v1"}
    authority.decide(files, {}, None)

    authority.decide({}, files, last(files, HERE))
    assert authority.left_alone == {"a", "b"}

    authority.decide({"a": "v2"}, files, last(files, HERE))
    assert authority.left_alone == {"b"}

    single = Authority(HERE)
    single.decide({"a": "v1"}, {}, None)
    single.decide({}, {"a": "v1"}, last({"a": "v1"}, HERE))
    assert single.left_alone == set()
