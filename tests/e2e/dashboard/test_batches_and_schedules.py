"""Batches and schedules: their members and buttons."""

from __future__ import annotations

from playwright.sync_api import expect


def test_a_batch_shows_its_members(look, desk):
    batch = desk.http.post("/functions/desk.count/batch", json=[{}, {}, {}]).json()

    page = look(f"/batches/{batch['id']}")

    expect(page.locator("#content tbody tr")).to_have_count(3)
    expect(page.get_by_text("3 of 3 ended")).to_be_visible(timeout=15_000)


def test_what_failed_of_a_batch_is_retried_and_what_is_left_cancelled(look, desk):
    failing = desk.http.post("/functions/desk.divide/batch", json=[{"dividend": 1, "divisor": 0}])
    waiting = desk.http.post("/functions/desk.wait/batch?delay=1h", json=[{}, {}, {}])

    page = look(f"/batches/{failing.json()['id']}")
    page.get_by_role("button", name="Retry failed").click()
    page.get_by_role("button", name="Retry them").click()
    expect(page.locator("#notices")).to_contain_text("1 invoked again")
    page.goto(f"{desk.base_url}/dashboard/batches/{waiting.json()['id']}")
    page.get_by_role("button", name="Cancel the rest").click()
    page.get_by_role("button", name="Cancel 3").click()

    expect(page.get_by_text("3 of 3 ended")).to_be_visible()


def test_a_schedule_is_fired_paused_and_resumed(look, desk):
    made = desk.http.post("/schedules", json={"function": "desk.count", "cron": "0 3 1 1 *"}).json()
    page = look("/schedules")
    row = page.locator("tbody tr", has_text="0 3 1 1 *")

    row.get_by_role("button", name="Fire now").click()
    expect(row.locator("td").filter(has_text="desk.count")).to_be_visible()
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name="Resume").click()
    expect(row).to_contain_text("active")

    after = desk.http.get(f"/schedules/{made['id']}").json()
    assert after["fired"] == 1
    assert not after["paused"]
    desk.http.delete(f"/schedules/{made['id']}")
