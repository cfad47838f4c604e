"""A callback that was not taken: its answers are seen, and it is sent again by a button."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.receiver import receiving, status
from tests.support.waiting import eventually


def test_the_delivery_of_a_batch_leads_to_the_batch(look, desk):
    with receiving() as receiver:
        headers = {"X-Callback-Url": receiver.url("/ok")}
        rows = [{"number": number} for number in range(2)]
        batch = desk.http.post("/functions/desk.line/batch", json=rows, headers=headers).json()
        eventually(lambda: receiver.at("/ok"), within_s=20)
        page = look("/deliveries")
        row = page.locator("tbody tr", has_text=receiver.url("/ok"))

        row.locator(f"a[href$='dlv_{batch['id']}']").click()
        page.locator(".lead a").click()

        page.wait_for_url(f"**/dashboard/batches/{batch['id']}")
        expect(page.locator("h1")).to_contain_text(batch["id"])


def test_a_refused_callback_is_sent_again_from_every_page_that_shows_it(look, desk):
    with receiving() as receiver:
        receiver.behave("/hook", status(410), status(500), status(204, body=b""))
        headers = {"X-Callback-Url": receiver.url("/hook"), "Prefer": "wait=10"}
        ended = desk.http.post("/functions/desk.count", json={"steps": 1}, headers=headers).json()
        page = look("/deliveries?status=stopped")
        row = page.locator("tbody tr", has_text=receiver.url("/hook"))
        expect(row).to_contain_text("410")

        row.get_by_role("button", name="Redeliver").click()
        expect(page.locator("#notices")).to_contain_text("The callback is being sent again")
        page.goto(f"{desk.base_url}/dashboard/invocations/{ended['id']}")
        attempts = page.locator(".delivery tbody tr")
        expect(attempts).to_have_count(2)
        expect(attempts.last).to_contain_text("500")
        page.get_by_role("button", name="Redeliver").click()

        expect(page.locator(".delivery .badge.delivered")).to_be_visible()
        expect(attempts.last).to_contain_text("204")
        assert len({request.headers["webhook-id"] for request in receiver.at("/hook")}) == 1
