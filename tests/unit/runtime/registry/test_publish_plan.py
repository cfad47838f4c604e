"""What should be published: who gets a name, who keeps what served, who is shown as broken."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from runtime.registry.manifest import EnvironmentView, FileError, Manifest
from runtime.registry.publish_plan import FileState, plan

BROKEN = FileError(type="SyntaxError", message="invalid syntax", file="a.py", line=3)


def manifest(name, file, version="v1", error=None):
    return Manifest(name=name, version=version, file=file, error=error)


def state(file, outcome):
    return FileState(file=file, name=file.removesuffix(".py").replace("/", "."), outcome=outcome)


def published(*manifests):
    return {m.name: m for m in manifests}


def test_a_loaded_file_publishes_what_it_has():
    a, b = manifest("a", "a.py"), manifest("b", "a.py")

    assert plan([state("a.py", (a, b))], {}) == published(a, b)


def test_what_no_file_has_is_withdrawn():
    assert plan([], published(manifest("a", "a.py"))) == {}


def test_a_file_being_loaded_keeps_what_it_had():
    old = manifest("a", "a.py")

    assert plan([state("a.py", None)], published(old)) == published(old)


def test_a_new_file_being_loaded_is_shown_as_loading():
    loading = Manifest(name="a", version="", file="a.py", is_loading=True)

    assert plan([state("a.py", None)], {}) == published(loading)
    assert plan([state("a.py", None)], published(loading)) == published(loading)


def test_a_file_that_was_loading_is_what_it_publishes_then_or_its_error():
    loading = Manifest(name="a", version="", file="a.py", is_loading=True)
    own = manifest("x", "a.py")

    assert plan([state("a.py", (own,))], published(loading)) == published(own)
    assert plan([state("a.py", BROKEN)], published(loading)) == published(
        manifest("a", "a.py", "", BROKEN)
    )


def test_a_broken_file_keeps_every_function_it_had_with_the_error():
    a, b = manifest("a", "a.py"), manifest("b", "a.py")

    wanted = plan([state("a.py", BROKEN)], published(a, b))

    assert wanted == published(replace(a, error=BROKEN), replace(b, error=BROKEN))


def test_a_file_that_never_loaded_is_shown_under_its_name_without_a_version():
    assert plan([state("a.py", BROKEN)], {}) == published(manifest("a", "a.py", "", BROKEN))


def test_a_mended_file_loses_its_error_and_its_placeholder():
    placeholder = manifest("a", "a.py", "", BROKEN)
    own = manifest("x", "a.py", "v2")

    assert plan([state("a.py", (own,))], published(placeholder)) == published(own)


def test_a_placeholder_is_not_kept_as_if_it_served():
    placeholder = manifest("a", "a.py", "", replace(BROKEN, message="older"))

    assert plan([state("a.py", BROKEN)], published(placeholder)) == published(
        manifest("a", "a.py", "", BROKEN)
    )


def test_the_first_file_by_path_has_a_name_and_the_second_is_told():
    first, second = manifest("x", "a.py"), manifest("x", "b.py")

    wanted = plan([state("b.py", (second,)), state("a.py", (first,))], {})

    assert wanted["x"] == first
    assert wanted["b"].version == ""
    assert wanted["b"].error == FileError(
        type="DuplicateName", message="x is already published by a.py", file="b.py"
    )


def test_a_duplicate_of_the_name_itself_is_told_where_it_serves():
    first, second = manifest("b", "a.py"), manifest("b", "b.py")

    wanted = plan([state("a.py", (first,)), state("b.py", (second,))], {})

    assert set(wanted) == {"b"}
    assert (wanted["b"].file, wanted["b"].version) == ("a.py", "v1")
    assert wanted["b"].error is not None
    assert wanted["b"].error.file == "b.py"


def test_the_other_functions_of_a_duplicate_are_still_published():
    wanted = plan(
        [
            state("a.py", (manifest("x", "a.py"),)),
            state("b.py", (manifest("x", "b.py"), manifest("y", "b.py"))),
        ],
        {},
    )

    assert wanted["y"].file == "b.py"
    assert wanted["x"].file == "a.py"


def test_a_broken_file_keeps_its_name_against_a_later_one():
    old = manifest("x", "a.py")

    wanted = plan([state("a.py", BROKEN), state("b.py", (manifest("x", "b.py"),))], published(old))

    assert wanted["x"] == replace(old, error=BROKEN)


files = st.sampled_from(["a.py", "b.py", "c.py"])
manifests = st.builds(
    manifest, st.sampled_from(["a", "b", "x", "y"]), files, st.sampled_from(["", "v1"])
)


@given(
    outcomes=st.dictionaries(
        files, st.one_of(st.none(), st.just(BROKEN), st.lists(st.sampled_from("abxy"), unique=True))
    ),
    before=st.lists(manifests, unique_by=lambda m: m.name),
)
def test_planning_twice_changes_nothing_and_broken_files_are_always_seen(outcomes, before):
    states = [
        state(f, tuple(manifest(n, f) for n in o) if isinstance(o, list) else o)
        for f, o in outcomes.items()
    ]

    wanted = plan(states, published(*before))

    assert plan(states, wanted) == wanted
    assert all(name == m.name for name, m in wanted.items())
    if any(s.outcome == BROKEN for s in states):
        assert any(m.error is not None for m in wanted.values())
    for s in states:
        for m in s.outcome if isinstance(s.outcome, tuple) else ():
            assert wanted[m.name].file == _rightful(m.name, states, published(*before))


def _rightful(name, states, before):
    """The file that has a name: the one that serves it and still offers it, else the first."""
    serving = before.get(name)
    offering = [s.file for s in states if _offers(name, s, before)]
    if serving is not None and serving.version and serving.file in offering:
        return serving.file
    return min(offering)


def _offers(name, s, before):
    if isinstance(s.outcome, tuple):
        return any(m.name == name for m in s.outcome)
    held = before.get(name)
    is_kept = held is not None and held.file == s.file
    return is_kept and (s.outcome is None or bool(held.version))


@given(older=st.sampled_from(["a.py", "b.py", "z.py"]), newer=st.sampled_from(["aa.py", "c.py"]))
def test_who_serves_a_name_keeps_it_whichever_order_the_files_sort_in(older, newer):
    serving = manifest("pay", older)
    states = [state(older, (serving,)), state(newer, (manifest("pay", newer, "v2"),))]

    first = plan(states, published(serving))
    again = plan(states, first)  # as after a restart

    name = newer.removesuffix(".py")
    assert first == again
    assert first["pay"] == serving
    assert first[name].error == FileError(
        type="DuplicateName", message=f"pay is already published by {older}", file=newer
    )


def test_a_name_goes_to_the_newcomer_when_the_older_file_gives_it_up():
    serving = manifest("pay", "zz.py")
    newer = manifest("pay", "aa.py", "v2")

    wanted = plan([state("zz.py", ()), state("aa.py", (newer,))], published(serving))

    assert wanted == published(newer)


def test_what_is_left_alone_stays_whatever_its_file_holds():
    held, other = manifest("x", "a.py"), manifest("y", "b.py")
    newer = manifest("x", "c.py", "v2")

    wanted = plan(
        [state("a.py", (manifest("x", "a.py", "v9"),)), state("c.py", (newer,))],
        published(held, other),
        {"a.py", "b.py"},
    )

    assert (wanted["x"], wanted["y"]) == (held, other)
    assert wanted["c"].error is not None


READY = EnvironmentView(state="ready", key="0123456789abcdef", packages=3, built_at_ms=5)
CONFLICT = FileError(type="DependencyConflict", message="no versions", file="a.py", line=1)


def test_what_serves_keeps_its_environment_while_the_next_is_built_or_fails():
    serving = replace(manifest("a", "a.py"), environment=READY)
    building = replace(state("a.py", None), phase="building", phase_at_ms=9, log="a line")

    [while_built] = plan([building], published(serving)).values()
    [failed] = plan([state("a.py", CONFLICT)], published(while_built)).values()

    assert while_built.environment == replace(READY, state="building", since_ms=9, message="a line")
    assert failed.environment == replace(READY, state="failed", message="no versions")
    assert failed.version == "v1"


def test_a_build_that_nobody_makes_any_more_is_not_shown_for_ever():
    """Its publisher was killed, and the file changed meanwhile."""
    building = replace(READY, state="building", since_ms=9, message="a line")
    left = replace(manifest("a", "a.py"), environment=building)

    [broken] = plan([state("a.py", BROKEN)], published(left)).values()

    assert broken.environment == READY
