"""What callers do wrong, and the answer they get; nothing of it is ever queued."""

from __future__ import annotations

import pytest

from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command

JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def nothing_is_queued(gateway):
    yield
    queued = gateway.connection.run(
        Command(("HGETALL", Keys().build("waiting")), lambda reply: reply)
    )
    scheduled = Command(("ZCARD", Keys().build("due", "default")), int)
    assert set(queued[1::2]) <= {b"0"}
    assert gateway.connection.run(scheduled) == 0


def code_of_whole_problem(answer):
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["type"] == f"/problems/{problem['code']}"
    assert problem["title"]
    assert problem["detail"]
    return answer.status_code, problem["code"]


def test_an_unknown_function_is_404(http):
    answer = http.post("/functions/nobody", json={})

    assert code_of_whole_problem(answer) == (404, "function_not_found")
    assert answer.json()["instance"] == "/functions/nobody"


def test_a_function_that_never_loaded_is_503_with_retry_after(http):
    answer = http.post("/functions/broken", json={})

    assert code_of_whole_problem(answer) == (503, "function_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{not json", "line 1, column 2"),
        (b"\xff\xfe{\x00}\x00", "UTF-16"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"name": "\xff"}', "UTF-8"),
        (b'{"name":' * 65 + b"1" + b"}" * 65, "64"),
        (b'{"name": "a", "name": "b"}', 'Duplicate key "name"'),
        (b'{"name": NaN}', "NaN"),
        (b'{"name": -Infinity}', "Infinity"),
        (b'{"name": 1e999}', "out of range"),
        (b'{"name": "\\ud800"}', "surrogate"),
        (b'["name"]', "object"),
        (b"null", "object"),
        (b'{"name": "a"} {}', "follows"),
    ],
)
def test_what_is_not_one_strict_json_object_is_400_and_says_where(http, body, word):
    answer = http.post("/functions/greet", content=body, headers=JSON)

    assert code_of_whole_problem(answer) == (400, "invalid_json")
    assert word in answer.json()["detail"]
    assert answer.json()["line"] >= 1
    assert answer.json()["column"] >= 1


@pytest.mark.parametrize(
    ("arguments", "pointers"),
    [
        ({}, ["/name"]),
        ({"name": 1}, ["/name"]),
        ({"name": "a", "nmae": 1}, ["/nmae"]),
        ({"name": 1, "times": "x", "extra": 0}, ["/extra", "/name", "/times"]),
    ],
)
def test_arguments_that_do_not_fit_are_422_with_a_pointer_to_each(http, arguments, pointers):
    answer = http.post("/functions/greet", json=arguments)

    assert code_of_whole_problem(answer) == (422, "arguments_invalid")
    assert sorted(error["pointer"] for error in answer.json()["errors"]) == pointers


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_media_type_the_function_does_not_take_is_415(http, media_type):
    headers = {"Content-Type": media_type} if media_type else {}

    answer = http.post("/functions/greet", content=b'{"name": "a"}', headers=headers)

    assert code_of_whole_problem(answer) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x",
        "http://user:secret@example.com/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest",
        "http://nowhere.invalid/",
        "not a url",
        "http://example.com/" + "x" * 2048,
    ],
)
def test_a_bad_callback_address_is_422_before_anything_is_queued(http, url):
    answer = http.post("/functions/greet", json={"name": "a"}, headers={"X-Callback-Url": url})

    assert code_of_whole_problem(answer) == (422, "callback_url_invalid")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("X-Callback-Url", ("http://127.0.0.1:9/a", "http://127.0.0.1:9/b")),
        ("Idempotency-Key", ("one", "two")),
    ],
)
@pytest.mark.parametrize("path", ["/functions/greet", "/functions/greet/batch"])
def test_a_header_that_may_be_there_once_is_422_if_there_twice(http, path, name, values):
    body = {"name": "a"} if path.endswith("greet") else [{"name": "a"}]

    answer = http.post(path, json=body, headers=[(name, value) for value in values])

    assert code_of_whole_problem(answer) == (422, "parameter_invalid")
    assert [error["pointer"] for error in answer.json()["errors"]] == [name]


def test_an_unknown_query_parameter_is_refused_on_every_route(http):
    assert code_of_whole_problem(http.get("/functions?nmae=x")) == (422, "parameter_invalid")
    assert code_of_whole_problem(http.get("/livez?x=1")) == (422, "parameter_invalid")


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"--b\r\nnothing",
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
    ],
)
def test_a_broken_form_is_400(http, form):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}

    answer = http.post("/functions/pictures.shrink", content=form, headers=headers)

    assert code_of_whole_problem(answer) == (400, "invalid_multipart")


def test_a_form_that_names_a_parameter_twice_is_422(http):
    files = [("image", b"a"), ("image", b"b")]

    answer = http.post("/functions/pictures.shrink", files=files)

    assert code_of_whole_problem(answer) == (422, "arguments_invalid")
    assert answer.json()["errors"][0]["pointer"] == "/image"


def test_an_unknown_path_is_404_and_a_wrong_method_405_with_allow(http):
    assert code_of_whole_problem(http.get("/nowhere")) == (404, "not_found")
    answer = http.delete("/functions/greet")
    assert code_of_whole_problem(answer) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) >= {"GET", "POST"}
