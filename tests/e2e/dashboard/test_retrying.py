"""What failed: seen, understood, mended and invoked again; one by one and all at once."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.waiting import eventually


def test_a_failure_shows_its_traceback_and_succeeds_with_edited_arguments(look, desk):
    failed = desk.call("desk.divide", wait_s=10, dividend=1, divisor=0).json()["invocation"]

    page = look(f"/invocations/{failed['id']}")

    expect(page.locator("pre.traceback")).to_contain_text("return dividend / divisor")
    expect(page.locator(".error-line")).to_contain_text("ZeroDivisionError")
    expect(page.locator("pre.log")).to_contain_text("dividing 1 by 0")
    page.get_by_role("link", name="Edit and retry").click()
    page.get_by_label("divisor").fill("2")
    page.get_by_role("button", name="Invoke").click()
    expect(page.locator(".outcome .result")).to_have_text("0.5")


def test_a_request_is_shown_without_its_secrets_edited_and_sent_again(look, desk, tmp_path):
    answer = desk.http.post(
        "/functions/desk.hook?page=2&token=hush",
        content='{"order": 7, "paid": true}',
        headers={
            "Content-Type": "application/json",
            "X-Event": "unpaid",
            "X-Signature": "sha256=hush",
            "Prefer": "wait=10",
        },
    )
    failed = answer.json()["invocation"]
    assert "hush" not in answer.text
    assert failed["request"]["headers"]["x-signature"] == "***"

    page = look(f"/invocations/{failed['id']}")

    shown = page.locator("section", has=page.get_by_role("heading", name="Request"))
    expect(shown).to_contain_text("POST /functions/desk.hook?page=2&token=***")
    expect(shown).to_contain_text("unpaid")
    expect(shown).to_contain_text('{"order": 7, "paid": true}')
    expect(shown).not_to_contain_text("hush")
    page.screenshot(path=tmp_path / "request.png", full_page=True)
    page.get_by_role("link", name="Edit and retry").click()
    expect(page.get_by_label("Body")).to_have_value('{"order": 7, "paid": true}')
    expect(page.locator("#invoke")).to_contain_text("x-signature")
    fields = page.get_by_label("Headers, one per line")
    fields.fill(fields.input_value().replace("unpaid", "paid"))
    page.get_by_label("Query").fill("page=3")
    page.get_by_label("Body").fill("[8]")
    page.screenshot(path=tmp_path / "form.png", full_page=True)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".outcome .badge.succeeded")).to_be_visible()
    [latest] = desk.http.get("/invocations?function=desk.hook&limit=1").json()["items"]
    assert latest["result"] == {"signed": False, "body": "[8]", "page": "3"}
    assert latest["request"]["query"] == {"page": "3"}


def test_a_masked_secret_is_asked_for_anew_and_its_mask_never_sent(look, desk):
    given = {"user": "ada", "password": "hush", "more": [{"user": "bob", "password": "hush"}]}
    call = desk.call("desk.unlock", wait_s=10, **given).json()
    page = look(f"/invocations/{call['id']}")

    page.get_by_role("link", name="Edit and retry").click()
    expect(page.locator("#invoke")).to_contain_text("enter them again: password, more")
    expect(page.get_by_label("user")).to_have_value("ada")
    expect(page.get_by_label("password")).to_have_value("")
    page.get_by_role("button", name="Invoke").click()
    expect(page.locator("#argument-password-problem")).to_contain_text("enter it again")
    page.get_by_label("password").fill("sesame")
    page.get_by_role("button", name="Invoke").click()
    expect(page.locator("#argument-more-problem")).to_contain_text("is required")
    page.get_by_label("more").fill("[]")
    page.get_by_role("button", name="Invoke").click()

    expect(page.locator(".outcome .result")).to_have_text("sesame, 0 more")


def test_a_request_in_bytes_is_sent_again_as_it_came(look, desk):
    body = bytes(range(256))
    headers = {"X-Event": "paid", "Content-Type": "application/octet-stream", "Prefer": "wait=10"}
    sent = desk.http.post("/functions/desk.hook", content=body, headers=headers).json()
    page = look(f"/functions/desk.hook?from={sent['id']}#invoke")

    page.get_by_role("button", name="Send").click()

    expect(page.locator(".outcome .badge.succeeded")).to_be_visible()
    [latest] = desk.http.get("/invocations?function=desk.hook&limit=1").json()["items"]
    assert latest["id"] != sent["id"]
    assert latest["request"]["body"] == sent["request"]["body"]
    assert latest["request"]["body_encoding"] == "base64"


def test_a_retry_leads_to_the_new_invocation_and_back(look, desk):
    failed = desk.call("desk.divide", wait_s=10, dividend=3, divisor=0).json()["invocation"]
    page = look(f"/invocations/{failed['id']}")

    page.get_by_role("button", name="Retry", exact=True).click()

    page.wait_for_url(lambda url: failed["id"] not in url)
    expect(
        page.locator(".facts", has_text="Retry of").locator("a", has_text="…")
    ).to_have_attribute("href", f"/dashboard/invocations/{failed['id']}")


def test_the_log_is_that_of_every_attempt(look, desk):
    ended = desk.call("desk.stubborn", wait_s=20).json()

    page = look(f"/invocations/{ended['id']}")

    expect(page.locator("pre.log")).to_have_text(
        "".join(f"=== attempt {n} ===\ntry {n}\n" for n in (1, 2, 3))
    )


def test_all_that_failed_are_retried_once_the_number_is_confirmed(look, desk, tmp_path):
    missing = tmp_path / "missing"
    for _ in range(7):
        desk.call("desk.needs", file=str(missing))
    eventually(lambda: len(ended_calls(desk, "desk.needs", "failed")) == 7)
    missing.write_text("here")
    page = look("/invocations?function=desk.needs&status=failed")

    page.get_by_role("button", name="Retry all failed").click()
    expect(page.get_by_role("dialog")).to_contain_text("Retry 7 invocations?")
    page.get_by_role("button", name="Retry 7").click()

    expect(page.locator("#notices")).to_contain_text("7 invoked again")
    eventually(lambda: len(ended_calls(desk, "desk.needs", "succeeded")) == 7)
    page.get_by_role("button", name="Retry all failed").click()
    expect(page.locator("#notices")).to_contain_text("Nothing to retry")


def test_all_that_waits_is_cancelled_once_the_number_is_confirmed(look, desk):
    for _ in range(5):
        desk.http.post("/functions/desk.wait?delay=1h&tag=later", json={})
    page = look("/invocations?tag=later&status=scheduled")
    expect(page.locator("tbody tr")).to_have_count(5)

    page.get_by_role("button", name="Cancel all scheduled").click()
    page.get_by_role("button", name="Leave as it is").click()
    expect(page.locator("tbody tr")).to_have_count(5)
    page.get_by_role("button", name="Cancel all scheduled").click()
    page.get_by_role("button", name="Cancel 5").click()

    expect(page.locator("#notices")).to_contain_text("5 cancelled")
    assert len(ended_calls(desk, "desk.wait", "cancelled", tag="later")) == 5


def ended_calls(desk, function, status, **more):
    query = {"function": function, "status": status, "limit": "100", **more}
    return desk.http.get("/invocations", params=query).json()["items"]
