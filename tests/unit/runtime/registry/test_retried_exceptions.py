"""Names in `retries={"on": …}` mean the class that they name in the file, and nothing else."""

from __future__ import annotations

import textwrap

import pytest

from runtime.errors import OptionError
from runtime.execution.tracebacks import type_names
from runtime.registry.bundle import Bundle
from runtime.registry.importer import ModuleSpace
from runtime.registry.retried_exceptions import resolve
from runtime.sdk.option_parsing import parse_options

SOURCES = {
    "shop/f.py": """
        import json, zipfile as archive
        from concurrent import futures
        from http.client import HTTPException as Spoken
        from _errors import Base, Derived
        from shop import _near
        class Custom(Exception):
            class Inner(Exception): ...
        class ConnectionError(Exception): ...
        Alias = Custom
        number = 3
        def make():
            class Local(Exception): ...
            return Local
        LOCAL = make()
        """,
    "_errors.py": "class Base(Exception): ...\nclass Derived(Base): ...",
    "shop/_near.py": "class Near(Exception): ...",
}


@pytest.fixture
def module():
    sources = {file: textwrap.dedent(text).encode() for file, text in SOURCES.items()}
    space = ModuleSpace(Bundle(root="/srv/functions", file="shop/f.py", sources=sources))
    yield space.import_function_file()
    space.remove()


def policy_on(module, on):
    _, options = parse_options({"retries": {"retries": 2, "on": on}})
    return resolve(options.retry, module)


def matches(policy, error):
    return not set(type_names(error)).isdisjoint(policy.on)


@pytest.mark.parametrize(
    ("named", "path"),
    [
        ("OSError", "OSError"),
        ("IOError", "OSError"),
        ("builtins.OSError", "OSError"),
        ("socket.timeout", "TimeoutError"),
        ("Custom", "Custom"),
        ("Alias", "Custom"),
        ("Custom.Inner", "Custom.Inner"),
        ("ConnectionError", "ConnectionError"),
        ("functions.shop.f.Custom", "Custom"),
        ("_errors.Base", "Base"),
        ("functions._errors.Base", "Base"),
        ("shop._near.Near", "_near.Near"),
        ("_near.Near", "_near.Near"),
        ("json.JSONDecodeError", "json.JSONDecodeError"),
        ("json.decoder.JSONDecodeError", "json.JSONDecodeError"),
        ("archive.BadZipFile", "archive.BadZipFile"),
        ("zipfile.BadZipFile", "archive.BadZipFile"),
        ("Spoken", "Spoken"),
        ("http.client.HTTPException", "Spoken"),
        ("futures.CancelledError", "futures.CancelledError"),
        ("xml.parsers.expat.ExpatError", None),
    ],
)
def test_a_name_matches_the_class_that_it_names(module, named, path):
    policy = policy_on(module, named)

    assert len(policy.on) == 1
    if path is not None:
        kind = vars(module).get(path.split(".")[0], __builtins__.get(path.split(".")[0]))
        for part in path.split(".")[1:]:
            kind = getattr(kind, part)
        arguments = ("x", "x", 0) if kind.__name__ == "JSONDecodeError" else ()
        assert matches(policy, kind(*arguments))
        assert matches(policy, type("Sub", (kind,), {})(*arguments))


def test_a_class_matches_itself_and_no_other_of_its_name(module):
    policy = policy_on(module, [module.ConnectionError, module.LOCAL])

    assert matches(policy, module.ConnectionError())
    assert matches(policy, module.LOCAL())
    assert not matches(policy, ConnectionError())
    assert not matches(policy, ValueError())
    assert not matches(policy_on(module, [ConnectionError]), module.ConnectionError())


def test_a_base_matches_what_is_derived_and_not_the_other_way(module):
    assert matches(policy_on(module, "_errors.Base"), module.Derived())
    assert not matches(policy_on(module, "Derived"), module.Base())


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("mypackage.errors.Custom", "is not found"),
        ("Missing", "is not found"),
        ("json.Missing", "is not found"),
        ("_errors.Missing", "is not found"),
        ("number", "is not an exception class"),
        ("json.JSONDecoder", "is not an exception class"),
        ("int", "is not an exception class"),
        ("runtime.Reject", "never retried"),
        ("runtime.Retry", "always causes a retry"),
    ],
)
def test_a_name_that_can_never_match_is_an_error_that_says_what_is_allowed(module, named, why):
    with pytest.raises(OptionError, match=why) as reported:
        policy_on(module, ["OSError", named])

    assert repr(named) in str(reported.value)
    assert "of a built-in exception or of one in this file, or a full name" in str(reported.value)


@pytest.mark.parametrize("wrong", ["", "a..b", "a b", ".a", "a.", "1.a"])
def test_what_can_be_no_name_is_refused_at_once(wrong):
    with pytest.raises(OptionError, match="exception classes or their names"):
        parse_options({"retries": {"retries": 2, "on": wrong}})
