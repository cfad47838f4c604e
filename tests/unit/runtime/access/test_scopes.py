"""What scopes allow, and nothing more."""

from __future__ import annotations

import pytest

from runtime.access.api_key import check_name, read_key
from runtime.access.scopes import EVERYTHING, read_grant
from runtime.store.access_commands import StoredKey

INVOKED = ("thumbnail", "thumbnails", "billing", "billing.invoice", "billing.eu.invoice")


@pytest.mark.parametrize(
    ("scopes", "invokes", "plain"),
    [
        (["read"], [], "r"),
        (["operate"], [], "ro"),
        (["admin"], INVOKED, "roa"),
        (["invoke:thumbnail"], ["thumbnail"], ""),
        (["invoke:billing.*"], ["billing.invoice", "billing.eu.invoice"], ""),
        (["invoke:*"], INVOKED, ""),
        (["invoke:billing", "read"], ["billing"], "r"),
    ],
)
def test_a_scope_allows_what_it_says(scopes, invokes, plain):
    grant = read_grant(scopes)

    assert [name for name in INVOKED if grant.may_invoke(name)] == list(invokes)
    assert [grant.reads, grant.operates, grant.administers] == [each in plain for each in "roa"]
    assert grant.invokes == bool(invokes)
    assert all(grant.may_see(name) == (name in invokes or "r" in plain) for name in INVOKED)


@pytest.mark.parametrize(
    "scope",
    ["", "Read", "write", "invoke", "invoke:", "invoke:*.x", "invoke:.*", "invoke:a*", "invoke:A"],
)
def test_what_is_no_scope_is_refused(scope):
    with pytest.raises(ValueError, match="is not a scope; use invoke:<function>"):
        read_grant(["read", scope])


def test_no_scopes_allow_nothing():
    grant = read_grant([])

    assert not any((grant.reads, grant.operates, grant.administers, grant.invokes))
    assert not grant.may_invoke("")


def test_a_stored_scope_that_this_version_does_not_know_allows_nothing():
    key = read_key(StoredKey(id="k", name="n", digest="secret", scopes=("read", "fly")))

    assert key.grant == read_grant(["read"])
    assert "secret" not in repr(key)


def test_who_may_everything_may_everything():
    assert EVERYTHING.administers
    assert EVERYTHING.may_invoke("x")


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a" * 65, "ü", "key:a"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(ValueError, match="takes a name"):
        check_name(name)
