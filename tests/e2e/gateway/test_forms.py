"""Forms of both types, as browsers and command lines send them, fill what a function takes."""

from __future__ import annotations

import httpx
import pytest

from tests.support.collecting import COLLECT, encoded

FORM = "application/x-www-form-urlencoded"
PNG = b"\x89PNG\r\n\x1a\n\x00\xff--b\rContent-Transfer-Encoding: 8bit\r\n\r\n"


def part(name: str, data: bytes, *headers: str) -> bytes:
    lines = ["--b", f'Content-Disposition: form-data; name="{name}"', *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data + b"\r\n"


@pytest.mark.parametrize("coding", ["8bit", "7bit", "binary", "BINARY", "8Bit", " 7BIT "])
@pytest.mark.parametrize("name", ["Content-Transfer-Encoding", "content-transfer-encoding"])
def test_a_part_may_have_a_coding_that_changes_nothing(arguments_of, name: str, coding: str):
    line = f"{name}: {coding}"
    form = part("title", b"A", line) + part("photo", PNG, "Content-Type: image/png", line)

    arguments = arguments_of(
        content=form + b"--b--\r\n", headers={"Content-Type": "multipart/form-data; boundary=b"}
    )

    assert arguments == {"title": "A", "photo": encoded(PNG)}


@pytest.mark.parametrize("coding", ["base64", "quoted-printable", "x-8bit"])
def test_a_part_with_another_coding_is_refused(http, coding: str):
    form = part("name", b"A", f"Content-Transfer-Encoding: {coding}") + b"--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}

    answer = http.post("/functions/greet", content=form, headers=headers)

    assert answer.json()["code"] == "invalid_multipart"


def test_what_looks_like_a_coding_within_a_file_stays(arguments_of):
    mail = b"\r\n--other\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx\r\n--other--\r\n"

    arguments = arguments_of(files=[("files", ("a.eml", mail)), ("files", ("b.png", PNG))])

    assert arguments == {"files": [encoded(mail), encoded(PNG)]}


@pytest.mark.parametrize("count", [1, 2, 5])
def test_several_files_fill_a_list(arguments_of, count: int):
    contents = [PNG + bytes([number]) for number in range(count)]

    arguments = arguments_of(files=[("files", (f"{at}", data)) for at, data in enumerate(contents)])

    assert arguments == {"files": [encoded(data) for data in contents]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([("tags", "a"), ("tags", "b")], {"tags": ["a", "b"]}),
        ([("tags", "a")], {"tags": ["a"]}),
        ([("tags", "1"), ("tags", "true")], {"tags": ["1", "true"]}),
        ([("tags", "")], {"tags": [""]}),
        ([("tags", '["a", "b"]')], {"tags": ["a", "b"]}),
        ([("sizes", "1"), ("sizes", "2")], {"sizes": [1, 2]}),
        ([("sizes", "1")], {"sizes": [1]}),
        ([("sizes", "[1,2]")], {"sizes": [1, 2]}),
        ([("points", '{"x": 1}'), ("points", '{"x": 2}')], {"points": [{"x": 1}, {"x": 2}]}),
        (
            [("title", "7"), ("count", "7"), ("tags", "ü")],
            {"title": "7", "count": 7, "tags": ["ü"]},
        ),
        ([("photo", "a b+c&d=e%")], {"photo": encoded(b"a b+c&d=e%")}),
        ([("files", "a"), ("files", "b")], {"files": [encoded(b"a"), encoded(b"b")]}),
    ],
)
@pytest.mark.parametrize("form", ["multipart", "urlencoded"])
def test_a_form_of_either_type_fills_what_the_function_takes(arguments_of, form, fields, expected):
    if form == "multipart":
        sent = {"files": [(name, (None, text.encode())) for name, text in fields]}
    else:
        sent = {"content": str(httpx.QueryParams(fields)), "headers": {"Content-Type": FORM}}

    assert arguments_of(**sent) == expected


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (b"title=a&title=b", "arguments_invalid", "given more than once"),
        (b"count=x", "arguments_invalid", "/count"),
        (b"titel=x", "arguments_invalid", "did you mean 'title'"),
        (b"title=%ff", "arguments_invalid", "not UTF-8 text"),
        (b"%ff=1", "invalid_multipart", "cannot be read"),
        (b"title=\xff", "invalid_multipart", "cannot be read"),
        (b"&".join([b"tags=x"] * 200), "invalid_multipart", "cannot be read"),
        (b' {"title": "x"}', "unsupported_media_type", "looks like JSON"),
    ],
)
def test_a_wrong_form_is_refused_with_what_is_wrong(gateway, http, body: bytes, code, said: str):
    gateway.publish(COLLECT)

    answer = http.post("/functions/collect", content=body, headers={"Content-Type": FORM})

    assert answer.json()["code"] == code
    assert said in answer.json()["detail"]


def test_bytes_that_curl_calls_a_form_are_still_bytes(arguments_of):
    sent = {"content": b"a=1&b=2", "headers": {"Content-Type": FORM}}

    assert arguments_of("pictures.shrink", **sent) == {"image": encoded(b"a=1&b=2")}
