"""GET /statistics and the files of the dashboard, as clients get them."""

from __future__ import annotations

import httpx
import pytest


def test_the_same_statistics_are_not_sent_twice(gateway):
    address = f"{gateway.url}/statistics?minutes=5"
    first = httpx.get(address)

    again = httpx.get(address, headers={"If-None-Match": first.headers["etag"]})

    # A minute may turn between the two.
    assert again.status_code == 304 or again.json()["until"] != first.json()["until"]


@pytest.mark.parametrize("minutes", ["0", "1441", "-1", "many", "1.5", ""])
def test_an_impossible_span_is_refused_with_what_it_takes(gateway, minutes):
    answer = httpx.get(f"{gateway.url}/statistics", params={"minutes": minutes})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "?minutes"


def test_assets_are_kept_for_ever_under_the_version_that_the_page_names(gateway):
    page = httpx.get(f"{gateway.url}/dashboard/invocations/any").text
    address = page.split('type="module" src="')[1].split('"')[0]

    version = address.split("/")[3]

    script = httpx.get(gateway.url + address)
    stale = httpx.get(gateway.url + address.replace(version, "another"))

    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" not in stale.headers["cache-control"]


def test_nothing_but_the_dashboard_s_own_files_is_served(gateway):
    for path in ("../app.py", "%2e%2e/app.py", "scripts/nothing.js", "scripts"):
        answer = httpx.get(f"{gateway.url}/dashboard/assets/x/{path}")

        assert answer.status_code == 404 or answer.headers["content-type"].startswith("text/html")
        assert "def create" not in answer.text
