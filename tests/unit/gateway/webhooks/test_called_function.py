"""Which function a request would call, by its path."""

from __future__ import annotations

import pytest

from gateway.webhooks.called_function import called_function


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/functions/hook", "hook"),
        ("POST", "/functions/shop.hook", "shop.hook"),
        ("GET", "/functions/hook", None),
        ("POST", "/function/hook", "hook"),
        ("GET", "/function/hook", "hook"),
        ("PUT", "/function/shop.hook/a/b", "shop.hook"),
        ("POST", "/function/hook/", "hook"),
        ("POST", "/async-function/hook/a", "hook"),
        ("POST", "/invocations/hook", None),
        ("POST", "/functionsX", None),
        ("POST", "/", None),
    ],
)
def test_a_path_calls_a_function(method: str, path: str, name: str | None):
    assert called_function(method, path) == name


@pytest.mark.parametrize("path", ["/functions/hook/batch", "/functions/hook/relock", "/functions/"])
def test_what_no_function_is_named_calls_none(path: str):
    assert called_function("POST", path) not in {"hook", None}


def test_nothing_is_called_without_a_name():
    assert called_function("POST", "/function/") == ""
