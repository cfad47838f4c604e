"""The examples with packages, copied into the functions folder as a user copies them."""

from __future__ import annotations

import base64
import io
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.system import System, running_system
from tests.support.waiting import eventually

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
BUILD_LIMIT_S = 240
NOT_HERE = frozenset({"DependencyUnavailable"})  # no index can be reached, or it lacks a package
SVG = "{http://www.w3.org/2000/svg}"

pytestmark = [pytest.mark.timeout(BUILD_LIMIT_S + 60), pytest.mark.faults]  # it fetches packages


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The three examples beside a function without packages, all of them ready to be called."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "functions").mkdir()
    (folder / "functions" / "plain.py").write_text("def plain() -> int:\n    return 1\n")
    for file in EXAMPLES:
        shutil.copy(file, folder / "functions")
    with running_system(folder) as running:
        for file in EXAMPLES:
            await_ready(running, file.stem)
        yield running


def await_ready(system: System, name: str) -> None:
    """Wait until a function serves from its environment; skip where its packages are not to be had.

    Any other error of its file fails the tests.
    """

    def look() -> dict[str, Any] | None:
        answer = system.http.get(f"/functions/{name}")
        found: dict[str, Any] = answer.json() if answer.is_success else {}
        if found.get("error"):
            return found
        return found if (found.get("environment") or {}).get("state") == "ready" else None

    error = eventually(look, within_s=BUILD_LIMIT_S, every_s=0.1).get("error")
    if error and error["type"] in NOT_HERE:
        pytest.skip(f"the packages of {name} cannot be had here: {error['message']}")
    assert not error, error


def result_of(system: System, name: str, **arguments: Any) -> Any:
    """Return what a function answers to JSON arguments."""
    answer = system.call(name, wait_s=30, **arguments)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def refusal_of(system: System, name: str, **arguments: Any) -> str:
    """Return why a function refuses JSON arguments."""
    answer = system.call(name, wait_s=30, **arguments)
    assert answer.status_code == 422, answer.text
    return answer.text


def profile(system: System, table: str, **arguments: Any) -> dict[str, Any]:
    content = base64.b64encode(table.encode()).decode()
    found: dict[str, Any] = result_of(system, "table_report", table=content, **arguments)
    return found


def draw(system: System, **arguments: Any) -> bytes:
    return base64.b64decode(result_of(system, "chart", **arguments))


def texts(svg: bytes) -> list[str]:
    """Return what a reader of a chart can read, without what is invisible."""
    found = [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]
    return [text.strip("\N{WORD JOINER}") for text in found]


def to_markdown(system: System, html: str, **arguments: Any) -> str:
    return str(result_of(system, "page_to_markdown", html=html, **arguments)["markdown"])


def test_a_function_without_packages_runs_beside_the_examples(system: System):
    assert result_of(system, "plain") == 1


def test_what_is_to_be_preloaded_is(system: System):
    result_of(system, "page_to_markdown", html="<p>x")

    assert "is not preloaded" not in system.read_log()


def test_a_table_sent_as_it_is_comes_back_profiled_and_drawn(system: System):
    table = (
        "city,people,founded,zip,twinned\r\n"
        'Zürich,"443037",0853-07-21,08001,yes\r\n'
        "東京,,1457-01-01,00100,no\r\n"
        '"Cost $5, or $6",100,n/a,00100,yes\r\n'
        "Bern,144447,1191-01-01,03000,\r\n\r\n"
    )

    answer = system.http.post(
        "/functions/table_report",
        content=table.encode(),
        headers={"Content-Type": "text/csv", "Prefer": "wait=30"},
    )

    assert answer.status_code == 200, answer.text
    found = answer.json()["result"]
    city, people, founded, code, twinned = found["columns"]
    assert found["rows"] == 4
    types = [column["type"] for column in found["columns"]]
    assert types == ["text", "integer", "date", "text", "boolean"]
    assert (people["count"], people["missing"], people["distinct"]) == (3, 1, 3)
    assert (people["numbers"]["min"], people["numbers"]["max"]) == (100, 443037)
    assert people["numbers"]["median"] == 144447
    assert people["numbers"]["mean"] == pytest.approx((443037 + 100 + 144447) / 3)
    assert founded["moments"] == {"earliest": "0853-07-21", "latest": "1457-01-01"}
    assert code["top"][0] == {"value": "00100", "count": 2}
    assert {each["value"] for each in city["top"]} >= {"東京", "Cost $5, or $6"}
    assert twinned["missing"] == 1
    for column in (city, people, code, twinned):
        picture = Image.open(io.BytesIO(base64.b64decode(column["chart"])))
        assert (picture.format, picture.size) == ("PNG", (480, 270))
        assert len(picture.convert("RGB").getcolors(1_000_000) or ()) > 2, "nothing is drawn"


@pytest.mark.parametrize(
    ("table", "rows", "expected"),
    [
        ("a\n1\n\n3\n", 3, [("a", "integer", 2, 1)]),
        ("only,names\n", 0, [("only", "empty", 0, 0), ("names", "empty", 0, 0)]),
        ("x;y\n1,5;\n2,5;NULL\n", 2, [("x", "text", 2, 0), ("y", "empty", 0, 2)]),
        (",b\n1\n2,3,4\n", 2, [("column_1", "integer", 2, 0), ("b", "integer", 1, 1)]),
        ("n\n1e400\n", 1, [("n", "text", 1, 0)]),
        ("n\n-1e149\n1e149\n", 2, [("n", "number", 2, 0)]),
        ("n\n10000000000000001\n10000000000000002\n", 2, [("n", "integer", 2, 0)]),
    ],
)
def test_an_odd_table_is_profiled(
    system: System, table: str, rows: int, expected: list[tuple[str, str, int, int]]
):
    found = profile(system, table)

    columns = found["columns"]
    assert found["rows"] == rows
    assert [(c["name"], c["type"], c["count"], c["missing"]) for c in columns] == expected


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("", "the table is empty"),
        ("\n \n", "the table is empty"),
        ('a,b\n"1,2\n', "line 2 cannot be read as CSV"),
        (",".join("a" * 201), "the limit is 200"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_the_reason(
    system: System, table: str, reason: str
):
    content = base64.b64encode(table.encode()).decode()

    assert reason in refusal_of(system, "table_report", table=content)


def test_a_wide_and_long_table_gets_as_many_charts_as_asked_for(system: System):
    line = ",".join(str(number) for number in range(100))
    table = "\n".join([",".join(f"c{number}" for number in range(100)), *[line] * 2000])

    found = profile(system, table, charts=3)

    assert len(found["columns"]) == 100
    assert [bool(column["chart"]) for column in found["columns"]] == [True] * 3 + [False] * 97


def test_a_chart_is_served_as_an_svg_with_its_texts(system: System):
    answer = system.call(
        "chart",
        wait_s=30,
        series={"Umsatz <€>": [1, None, 3.5], "_日本 & $5": [2, 2, 2]},
        labels=["Jän", "Feb", "$x$"],
        kind="bar",
        title="Ti\u0001tle of <a> & $b$",
    )

    served = system.http.get(answer.json()["links"]["result"])

    assert served.headers["content-type"] == "image/svg+xml"
    assert ET.fromstring(served.content).tag == f"{SVG}svg"
    wanted = {"Umsatz <€>", "_日本 & $5", "Jän", "Feb", "$x$", "Ti\ufffdtle of <a> & $b$"}
    assert wanted <= set(texts(served.content))


@pytest.mark.parametrize("kind", ["line", "bar", "scatter"])
def test_the_same_chart_is_the_same_bytes(system: System, kind: str):
    arguments = {"series": {"a": [1, 2, None], "b": [3, 1, 2]}, "kind": kind}

    assert draw(system, **arguments) == draw(system, **arguments)


@pytest.mark.parametrize("kind", ["line", "bar", "scatter"])
@pytest.mark.parametrize("values", [[1], [0, 0], [1e100, -1e100], [1e-100, None]])
def test_an_odd_series_is_drawn(system: System, kind: str, values: list[float | None]):
    svg = draw(system, series={"": values}, kind=kind)

    assert "1" in texts(svg)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"series": {}}, "series"),
        ({"series": {"a": []}}, "/series/a"),
        ({"series": {"a": [None]}}, "there is no number to draw"),
        ({"series": {"a": [1, 2], "b": [1]}}, "'b' has 1 numbers, but 'a' has 2"),
        ({"series": {"a": [1, 2]}, "labels": ["x"]}, "1 labels for 2 numbers"),
        ({"series": {"a": [1] * 2001}}, "the limit is 2,000"),
        ({"series": {"a": [1]}, "kind": "pie"}, "/kind"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_reason(
    system: System, arguments: dict[str, Any], reason: str
):
    assert reason in refusal_of(system, "chart", **arguments)


PAGE = """<!doctype html><html lang="de"><head><meta charset="utf-8">
<title>Bücher &amp;
Preise</title><style>p{color:red}</style><script>alert(1)</script></head><body>
<nav><a href="/">Start</a></nav><main><header><h1>Bücher</h1></header>
<p>Ein <b>guter</b> Text mit <a href="preise.html#a">Preisen</a> und <a
 href="https://example.org/x">mehr</a>. <img src="/i/a b.png" alt="Bild">
<a href="javascript:alert(2)">klick</a>
<h2>Preise</h2><table><thead><tr><th>Titel<th>Preis</thead><tbody>
<tr><td>Ä|B<td>3,50&nbsp;€<tr><td>日本<td></table>
<ol><li>eins<ul><li>innen</ul><li>zwei</ol>
<pre><code class="language-python">def f():
    return 1


x = 2
</code></pre><form><button>Senden</button></form><div hidden>geheim</div></main>
<footer>Impressum</footer>"""


def test_a_page_becomes_markdown_with_its_title(system: System):
    found = result_of(
        system, "page_to_markdown", html=PAGE, base_url="https://shop.example/de/b.html"
    )

    text = found["markdown"]
    assert found["title"] == "Bücher & Preise"
    assert text.startswith("# Bücher\n\nEin **guter** Text")
    assert "\n\n## Preise\n\n" in text
    assert "[Preisen](https://shop.example/de/preise.html#a)" in text
    assert "[mehr](https://example.org/x)" in text
    assert "![Bild](https://shop.example/i/a%20b.png)" in text
    assert (
        "| Titel | Preis |\n| --- | --- |\n| Ä\\|B | 3,50\N{NO-BREAK SPACE}€ |\n| 日本 |  |" in text
    )
    assert "1. eins\n   - innen\n2. zwei" in text
    assert "```python\ndef f():\n    return 1\n\n\nx = 2\n```" in text
    for left_out in ("alert", "color", "Start", "Senden", "geheim", "Impressum", "javascript"):
        assert left_out not in text


def test_links_stay_relative_without_an_address(system: System):
    assert to_markdown(system, '<a href="b.html">x</a>') == "[x](b.html)"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("", ""),
        ("only text & < more", "only text & < more"),
        ("<p>un<b>closed <a href=/x>link", "un**closed [link](/x)**"),
        ("<ul><li>a<li>b", "- a\n- b"),
        ("<table><tr><td>1<td>2<tr><td>3", "|  |  |\n| --- | --- |\n| 1 | 2 |\n| 3 |"),
        ("</div></p><h3>日本語</h4>", "### 日本語"),
        ('<a href="http://[broken">x</a><img>', "x"),
        ("<!-- <p>no</p> --><p>yes</p><script>never closed", "yes"),
    ],
)
def test_broken_html_is_read_as_far_as_possible(system: System, html: str, expected: str):
    assert to_markdown(system, html) == expected


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"html": "<div>" * 5000}, "nested too deeply"),
        ({"html": "x", "base_url": "file:///etc/passwd"}, "base_url must begin with http"),
        ({"html": "x", "base_url": "shop.example"}, "base_url must begin with http"),
    ],
)
def test_a_page_that_cannot_be_read_is_refused_with_the_reason(
    system: System, arguments: dict[str, Any], reason: str
):
    assert reason in refusal_of(system, "page_to_markdown", **arguments)
