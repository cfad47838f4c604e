"""Functions that answer HTTP themselves: their facts, requests to them, and what they answer."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.support.waiting import eventually


def send(page, *, method="POST", below="", **fields):
    page.get_by_label("Method").select_option(method)
    page.get_by_label("Path", exact=True).fill(below)
    for label, text in fields.items():
        page.get_by_label(label.replace("_", " ")).fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def test_a_request_is_sent_as_it_is_written_and_its_answer_shown(look):
    page = look("/functions/desk.answer")

    send(
        page,
        method="PUT",
        below="/orders/7",
        Query="kind=new",
        Headers="X-Sender: desk\nContent-Type: text/plain",
        Body="hello",
    )

    answer = page.locator(".answer")
    expect(answer.locator(".badge")).to_have_text("201 Created")
    expect(answer.locator(".headers")).to_contain_text("x-desk")
    for said in ("PUT", "/orders/7", 'kind: "new"', "desk", "hello"):
        expect(answer.locator(".json")).to_contain_text(said)
    answer.get_by_role("link", name="Invocation").click()
    expect(page.locator("h1 .badge.succeeded")).to_be_visible()
    expect(page.locator(".result .badge")).to_have_text("201")
    expect(page.locator(".result .headers")).to_contain_text("application/json")
    expect(page.locator(".result .json")).to_contain_text("/orders/7")


def test_a_get_has_no_body_and_a_file_may_be_one(look):
    page = look("/functions/desk.answer")
    page.get_by_label("Method").select_option("GET")
    expect(page.get_by_label("Body", exact=True)).to_be_hidden()
    page.get_by_label("Method").select_option("PATCH")

    page.get_by_label("Or a file").set_input_files(
        {"name": "a.txt", "mimeType": "text/plain", "buffer": b"from a file"}
    )
    page.get_by_role("button", name="Send", exact=True).click()

    expect(page.locator(".answer .json")).to_contain_text("from a file")


def test_what_a_function_answers_is_shown_and_not_run(look):
    page = look("/functions/desk.answer")

    send(page, below="/markup")
    expect(page.locator(".answer pre")).to_have_text("<script>window.harmed = 1</script>")
    assert page.evaluate("window.harmed") is None
    page.locator(".answer").get_by_role("link", name="Invocation").click()
    expect(page.locator(".result pre")).to_have_text("<script>window.harmed = 1</script>")
    assert page.evaluate("window.harmed") is None

    page = look("/functions/desk.answer")
    send(page, below="/picture")
    expect(page.locator(".answer img.preview")).to_have_js_property("naturalWidth", 1)
    page.locator(".answer").get_by_role("link", name="Invocation").click()
    expect(page.locator(".result img.preview")).to_have_js_property("naturalWidth", 1)


def test_a_redirect_is_not_followed(look, desk):
    page = look("/functions/desk.answer")

    send(page, method="GET", below="/moved")

    expect(page.locator(".answer")).to_contain_text("The function redirects")
    [made] = desk.http.get("/invocations?function=desk.answer&limit=1").json()["items"]
    page.locator(f"tbody a[href$='{made['id']}']").click()
    expect(page.locator(".result .badge")).to_have_text("302")
    expect(page.locator(".result .headers")).to_contain_text("/keys")


def test_what_cannot_be_sent_is_told(look):
    page = look("/functions/desk.answer")
    problem = page.locator("#invoke [role=alert]:visible")

    send(page, below="/../../queues")
    expect(problem).to_contain_text("stay below the function")
    send(page, Headers="Cookie: a=b")
    expect(problem).to_contain_text("does not let a page send Cookie")
    send(page, Headers="no header")
    expect(problem).to_contain_text("Name: value")


def test_a_function_of_arguments_can_be_sent_a_request_too(look):
    page = look("/functions/desk.line")
    expect(page.get_by_label("number")).to_be_visible()

    page.get_by_role("button", name="Send an HTTP request").click()
    expect(page.get_by_label("Method").locator("option")).to_have_text(
        ["POST", "PUT", "PATCH", "DELETE"]
    )
    send(page, Body='{"number": 12}')

    expect(page.locator(".answer")).to_contain_text("12")
    page.get_by_role("button", name="Invoke with arguments").click()
    expect(page.get_by_label("number")).to_be_visible()


def test_the_page_says_what_the_raw_address_takes(look, desk):
    page = look("/functions/desk.answer")
    facts = page.locator(".facts").first

    expect(facts).to_contain_text(f"{desk.base_url}/function/desk.answer")
    expect(facts).to_contain_text("GET, POST, PUT, PATCH, DELETE, OPTIONS")
    expect(facts).to_contain_text("https://app.example")


def test_a_missing_secret_is_marked_and_an_unsigned_request_refused(look, desk):
    page = look("/functions")
    row = page.locator("tr", has=page.get_by_role("link", name="desk.signed"))
    expect(row.locator(".badge.missing")).to_have_text("secret missing")

    page.get_by_role("link", name="desk.signed").click()
    expect(page.locator(".facts").first).to_contain_text("PENSTOCK_SECRET_DESK")
    expect(page.locator(".facts .badge.missing")).to_be_visible()
    send(page, Body="unsigned")

    expect(page.locator(".answer .badge.failed")).to_have_text("401 Unauthorized")
    expect(page.locator(".answer .warning")).to_contain_text("verifies webhooks")
    assert desk.http.get("/invocations?function=desk.signed").json()["items"] == []


def test_a_raw_request_is_sent_again_as_it_came(look, desk):
    sent = desk.http.put(
        "/function/desk.answer/a/b?of=1", content=b"x", headers={"X-Sender": "old"}
    )
    page = look(f"/functions/desk.answer?from={sent.headers['X-Call-Id']}#invoke")
    expect(page.get_by_label("Method")).to_have_value("PUT")
    expect(page.get_by_label("Headers")).not_to_have_value(re.compile("x-call-id"))
    expect(page.get_by_label("Path", exact=True)).to_have_value("/a/b")

    page.get_by_role("button", name="Send", exact=True).click()

    expect(page.locator(".answer .json")).to_contain_text('sender: "old"')
    [latest, before] = eventually(
        lambda: desk.http.get("/invocations?function=desk.answer&limit=2").json()["items"]
    )
    assert before["id"] == sent.headers["X-Call-Id"]
    assert latest["result"]["body"] == before["result"]["body"] == sent.json()
