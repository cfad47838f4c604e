"""Whose web pages may use which path."""

from __future__ import annotations

import pytest

from gateway.parsing.function_names import find_name
from gateway.serving.allowed_origins import AllowedOrigins
from gateway.serving.error_responses import refusal_answer
from gateway.serving.limits import ConnectionLimits
from gateway.serving.request_parser import RequestParser
from gateway.startup_checks import read_origins, warn_of_origins
from runtime.errors import SettingsError
from runtime.invocations.ids import format_id
from runtime.registry.manifest import Manifest
from runtime.sdk.options import Options
from runtime.settings import Settings
from tests.unit.gateway.serving.test_allowed_hosts import Owner

OPERATOR, SHOP, EVIL = b"https://ops.example", b"https://shop.example", b"https://evil.example"
ID = format_id(1_700_000_000_000, 0, 7)
OF_SHOP = [
    *("/functions/pay.card", "/functions/pay.card/batch", "/function/pay.card"),
    *("/function/pay.card/a/b", "/async-function/pay.card", "/async-function/pay.card/a"),
    *("/function/pay.card.openfaas-fn", f"/invocations/{ID}", f"/invocations/{ID}/events"),
    *(f"/batches/{ID}", f"/batches/{ID}/retry", f"/async-function/{ID}"),
]
OF_NO_FUNCTION = [
    *("/", "/keys", "/session", "/queues/pay.card", "/functions", "/functions/", "/openapi.json"),
    *("/functions/pay.card/relock", "/functions/pay.card/batch/x", "/functionsx/pay.card"),
    *("/invocations", "/invocations/retry", "/invocations/cancel", "/batches", "/schedules/x"),
]
OF_OTHERS = ["/functions/quiet", "/function/quiet", "/functions/nope", "/function/nope/a"]


def published(**cors: tuple[str, ...]) -> dict[str, Manifest]:
    return {
        name.replace("__", "."): Manifest(
            name=name, version="v", file="f.py", options=Options(cors=origins)
        )
        for name, origins in cors.items()
    }


FUNCTIONS = published(pay__card=(SHOP.decode(),), quiet=())
ORIGINS = AllowedOrigins([OPERATOR.decode()], lambda: FUNCTIONS, find_name)


@pytest.mark.parametrize("path", [*OF_SHOP, *OF_NO_FUNCTION, *OF_OTHERS])
def test_an_origin_of_the_setting_may_use_every_path_and_an_unlisted_one_none(path: str):
    assert ORIGINS.allow(OPERATOR, path)
    assert not ORIGINS.allow(EVIL, path)
    assert not ORIGINS.allow(b"null", path)
    assert not ORIGINS.allow(OPERATOR + b".evil.example", path)
    assert ORIGINS.headers(EVIL, path) == ((b"vary", b"Origin"),)


@pytest.mark.parametrize("path", OF_SHOP)
def test_an_origin_of_a_function_may_call_it_and_follow(path: str):
    assert ORIGINS.allow(SHOP, path)
    assert dict(ORIGINS.headers(SHOP, path))[b"access-control-allow-origin"] == SHOP


@pytest.mark.parametrize("path", [*OF_NO_FUNCTION, *OF_OTHERS])
def test_it_may_use_nothing_else(path: str):
    assert not ORIGINS.allow(SHOP, path)


def test_without_a_key_an_allowed_page_may_only_call():
    assert all(ORIGINS.allow_without_key(OPERATOR, path) for path in [*OF_SHOP, *OF_OTHERS])
    assert not any(ORIGINS.allow_without_key(OPERATOR, path) for path in OF_NO_FUNCTION)
    assert not any(ORIGINS.allow_without_key(EVIL, path) for path in OF_SHOP)
    assert not any(ORIGINS.allow_without_key(SHOP, path) for path in OF_OTHERS)


def test_any_origin_is_answered_in_the_same_words_and_never_with_credentials():
    everybody = AllowedOrigins(["*"])

    first, second = (everybody.headers(origin, "/keys") for origin in (EVIL, b"null"))

    assert first == second
    assert dict(first)[b"access-control-allow-origin"] == b"*"
    names = {name for headers in (first, ORIGINS.headers(SHOP, OF_SHOP[0])) for name, _ in headers}
    assert names == {b"access-control-allow-origin", b"access-control-expose-headers", b"vary"}


def test_a_function_may_be_for_everybody():
    functions = published(free=("*",), quiet=())
    origins = AllowedOrigins((), lambda: functions)

    assert origins.allow(EVIL, "/functions/free")
    assert origins.allow(EVIL, f"/invocations/{ID}")
    assert not origins.allow(EVIL, "/functions/quiet")


def test_a_cache_is_told_where_the_origin_decides_and_nothing_is_said_where_nobody_may():
    shop_only = AllowedOrigins((), lambda: FUNCTIONS)

    assert shop_only.headers(None, f"/invocations/{ID}") == ((b"vary", b"Origin"),)
    assert shop_only.headers(EVIL, "/functions/quiet") == ()
    assert shop_only.headers(None, "/openapi.json") == ()
    assert AllowedOrigins().headers(EVIL, f"/invocations/{ID}") == ()


def test_a_function_that_is_published_again_takes_its_new_list():
    now = [published(pay=("https://old.example",))]
    origins = AllowedOrigins((), lambda: now[0])
    before = origins.allow(b"https://old.example", "/functions/pay")

    now[0] = published(pay=("https://new.example",))

    assert before
    assert not origins.allow(b"https://old.example", "/functions/pay")
    assert origins.allow(b"https://new.example", f"/invocations/{ID}")


@pytest.mark.parametrize(
    ("origin", "readable"), [(OPERATOR, True), (SHOP, True), (EVIL, False), (None, False)]
)
def test_a_page_may_read_what_is_refused_before_there_is_a_request(origin, readable):
    parser = RequestParser(Owner(), ConnectionLimits())
    head = b"POST /functions/pay.card HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n"
    parser.feed(head + (b"Origin: %b\r\n\r\n" % origin if origin else b"\r\n"))
    parser.time_out()
    assert parser.refusal is not None

    answer = refusal_answer(parser.refusal, b"", ORIGINS)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in body
    assert (b"\r\naccess-control-allow-origin: %b\r\n" % (origin or b"") in head) is readable
    assert (b"\r\nvary: Origin\r\n" in head) is (origin is not None)


def test_the_setting_is_checked_and_a_warning_says_what_is_open_to_everybody():
    assert read_origins(Settings(cors_origins=("HTTPS://Ops.example:443",))) == (OPERATOR.decode(),)
    with pytest.raises(SettingsError, match=r"PENSTOCK_CORS_ORIGINS: takes origins .*'ops'"):
        read_origins(Settings(cors_origins=("ops",)))

    assert "every web page" in (warn_of_origins(Settings(cors_origins=("*",))) or "")
    assert warn_of_origins(Settings(cors_origins=("*",), auth="required")) is None
    assert warn_of_origins(Settings(cors_origins=(OPERATOR.decode(),))) is None
