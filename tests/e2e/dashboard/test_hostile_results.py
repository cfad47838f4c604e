"""What a function returns is a stranger's: shown as text, cut when long, closed when deep."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("kind", ["markup", "long", "deep", "wide", "raise"])
def test_a_hostile_result_harms_nobody(look, desk, kind):
    answer = desk.call("desk.hostile", wait_s=10, kind=kind).json()
    ended = answer.get("invocation", answer)

    page = look(f"/invocations/{ended['id']}")

    expect(page.locator("pre.log")).to_contain_text("<script>")
    assert page.evaluate("window.harmed") is None
    assert page.evaluate("({}).harmed") is None
    assert page.locator(".output script, .output img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.querySelectorAll('*').length") < 2_000


def test_invisible_controls_are_shown_by_their_number(look, desk):
    ended = desk.call("desk.hostile", wait_s=10, kind="markup").json()

    page = look(f"/invocations/{ended['id']}")

    expect(page.locator(".result .json")).to_contain_text(r"a\u202egpj.exe")
    expect(page.locator("pre.log")).to_contain_text(r"\u001b[31m")


def test_a_long_text_is_cut_until_all_of_it_is_asked_for(look, desk):
    ended = desk.call("desk.hostile", wait_s=10, kind="long").json()
    page = look(f"/invocations/{ended['id']}")
    text = page.locator(".result pre")
    expect(text).to_be_visible()
    assert len(text.text_content() or "") < 10_000

    page.get_by_role("button", name="show all 1,000,").click()

    assert len(text.text_content() or "") > 1_000_000


def test_deep_nesting_opens_step_by_step(look, desk):
    ended = desk.call("desk.hostile", wait_s=10, kind="deep").json()

    page = look(f"/invocations/{ended['id']}")

    expect(page.locator(".result summary:visible")).to_have_count(4)
    page.locator(".result summary:visible").last.click()
    expect(page.locator(".result summary:visible")).to_have_count(5)


def test_the_page_is_served_under_a_policy_without_inline_code(desk):
    policy = desk.http.get("/dashboard").headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
