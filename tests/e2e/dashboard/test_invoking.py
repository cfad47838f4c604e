"""Invoking a function from its page, and seeing what becomes of it."""

from __future__ import annotations

from playwright.sync_api import expect


def test_a_call_from_the_form_is_followed_to_its_end(look):
    page = look("/functions/desk.count")

    page.get_by_label("steps").fill("4")
    page.get_by_label("label").select_option("stage")
    page.get_by_label("loud").select_option("true")
    page.get_by_role("button", name="Invoke").click()

    outcome = page.locator(".outcome")
    expect(outcome.locator(".badge.succeeded")).to_be_visible()
    expect(outcome.locator("pre.log")).to_have_text("STAGE 1\nSTAGE 2\nSTAGE 3\nSTAGE 4\n")
    expect(outcome.locator(".json")).to_contain_text("counted: 4")


def test_a_running_call_shows_its_progress_and_its_log_as_they_come(look, desk):
    page = look("/functions/desk.count")

    page.get_by_label("steps").fill("100")
    page.get_by_label("pause_s").fill("0.1")
    page.get_by_role("button", name="Invoke").click()

    outcome = page.locator(".outcome")
    expect(outcome.locator(".badge.running")).to_be_visible()
    expect(outcome.locator(".progress")).to_contain_text("of 100 · step")
    expect(outcome.locator("pre.log")).to_contain_text("step 2")
    page.locator(".outcome-head a").click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel it").click()
    expect(page.locator("h1 .badge.cancelled")).to_be_visible()


def test_what_the_schema_refuses_is_said_at_its_field(look):
    page = look("/functions/desk.count")

    page.get_by_label("steps").fill("500")
    page.get_by_role("button", name="Invoke").click()

    expect(page.locator("#argument-steps-problem")).to_contain_text("100")
    expect(page.get_by_label("steps")).to_be_focused()


def test_arguments_may_be_written_as_json_without_losing_digits(look, desk):
    page = look("/functions/desk.divide")

    page.get_by_label("dividend").fill("90071992547409931")
    page.get_by_label("divisor").fill("1")
    page.get_by_role("button", name="Edit as JSON").click()

    expect(page.get_by_label("Arguments as JSON")).to_have_value(
        '{\n  "dividend": 90071992547409931,\n  "divisor": 1\n}'
    )
    page.get_by_role("button", name="Invoke").click()
    expect(page.locator(".outcome .badge.succeeded")).to_be_visible()
    [latest] = desk.http.get("/invocations?function=desk.divide&limit=1").json()["items"]
    assert latest["arguments"]["dividend"] == 90071992547409931


def test_items_are_shown_as_they_are_yielded(look):
    page = look("/functions/desk.feed")

    page.get_by_role("button", name="Invoke").click()

    expect(page.locator(".told > li")).to_have_count(3)
    expect(page.locator(".outcome .badge.succeeded")).to_be_visible()


def test_a_picture_is_shown_and_can_be_downloaded(look, desk):
    ended = desk.call("desk.dot", wait_s=10).json()

    page = look(f"/invocations/{ended['id']}")

    expect(page.locator("img.preview")).to_have_js_property("naturalWidth", 1)
    expect(page.get_by_role("link", name="Download")).to_have_attribute(
        "href", f"/invocations/{ended['id']}/result"
    )


def test_a_file_that_does_not_load_is_told_with_its_line(look, desk):
    desk.write("crooked", "def crooked():\n    return +\n")
    try:
        page = look("")

        expect(page.get_by_role("alert")).to_contain_text("1 function does not load: crooked")
        page.get_by_role("link", name="crooked").click()
        expect(page.get_by_role("alert")).to_contain_text("crooked.py, line 2")
    finally:
        (desk.functions / "crooked.py").unlink()
