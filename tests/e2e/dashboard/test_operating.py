"""What the person on call does: cancel, pause, watch a worker go, find, come back tomorrow."""

from __future__ import annotations

import signal

import pytest
from playwright.sync_api import expect

from runtime.store.redis_keys import Keys
from tests.e2e.dashboard.conftest import FUNCTIONS, QUICK
from tests.support.system import running_system
from tests.support.waiting import eventually

KEYS = Keys()


def test_a_running_call_is_cancelled_from_its_page(look, desk):
    started = desk.call("desk.wait").json()
    page = look(f"/invocations/{started['id']}")
    expect(page.locator("h1 .badge.running")).to_be_visible()

    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel it").click()

    expect(page.locator("h1 .badge.cancelled")).to_be_visible()
    assert desk.invocation(started["id"])["status"] == "cancelled"


def test_a_paused_queue_fills_and_drains(look, desk):
    desk.call("desk.line", wait_s=10)
    page = look("/queues")
    row = page.locator("tr", has_text="line")

    row.get_by_role("button", name="Pause").click()
    expect(row.locator(".badge.paused")).to_be_visible()
    for number in range(12):
        desk.call("desk.line", number=number)
    expect(row.locator("td").nth(2)).to_have_text("12")
    row.get_by_role("button", name="Resume").click()

    expect(row.locator("td").nth(2)).to_have_text("0")
    expect(row.locator(".badge.open")).to_be_visible()


def test_a_paused_queue_is_emptied_once_the_number_is_confirmed(look, desk):
    desk.call("desk.line", wait_s=10)
    desk.http.patch("/queues/line", json={"paused": True})
    for number in range(3):
        desk.call("desk.line", number=number)
    page = look("/queues")

    page.locator("tr", has_text="line").get_by_role("button", name="Purge").click()
    expect(page.get_by_role("dialog")).to_contain_text("Cancel 3 invocations in line?")
    page.get_by_role("button", name="Cancel 3").click()

    expect(page.locator("#notices")).to_contain_text("3 invocations in line cancelled")
    desk.http.patch("/queues/line", json={"paused": False})


def test_a_damaged_record_is_told_on_the_overview(look, desk):
    desk.http.patch("/queues/line", json={"paused": True})
    hurt = desk.call("desk.line", number=1).json()["id"]
    desk.run_command("HDEL", KEYS.build("record", hurt), "created_at")
    desk.http.patch("/queues/line", json={"paused": False})
    eventually(lambda: desk.http.get("/quarantine").json()["count"])

    alarm = look().get_by_role("alert")

    expect(alarm).to_contain_text("1 invocation is in quarantine")
    alarm.get_by_role("link").click()
    desk.run_command("DEL", KEYS.build("broken"), KEYS.build("broken_reasons"))


def test_a_dead_worker_leaves_the_page(look, desk):
    page = look("/workers")
    victim = desk.parts("worker")[0]
    expect(page.locator("tbody").first).to_contain_text(str(victim.pid))

    victim.send_signal(signal.SIGKILL)

    expect(page.locator("tbody").first).not_to_contain_text(str(victim.pid), timeout=15_000)


def test_what_the_last_check_found_is_on_the_page_of_workers(look, desk):
    desk.run_command("ZADD", KEYS.build("index", "end:failed"), 0, "of-no-record")
    asked = desk.http.post("/checks").json()
    eventually(lambda: desk.http.get(f"/checks/{asked['id']}").json()["finished_at"], within_s=30)

    panel = look("/workers").locator("[data-key=check]")

    expect(panel).to_contain_text("inconsistenc")
    expect(panel.locator("tbody")).to_contain_text("of-no-record")
    mending = desk.http.post("/checks", json={"repair": True}).json()
    eventually(lambda: desk.http.get(f"/checks/{mending['id']}").json()["finished_at"], within_s=30)
    clean = desk.http.post("/checks").json()
    eventually(lambda: desk.http.get(f"/checks/{clean['id']}").json()["finished_at"], within_s=30)


def test_an_id_is_found_from_every_page_by_keyboard_alone(look, desk):
    ended = desk.call("desk.count", wait_s=10).json()
    page = look("/queues")

    page.keyboard.press("/")
    page.keyboard.type(ended["id"])
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_contain_text(ended["id"])
    expect(page.locator("h1")).to_be_focused()
    page.go_back()
    expect(page.locator("h1")).to_have_text("Queues")


def test_a_filter_is_kept_in_the_address(look, desk):
    desk.call("desk.count", wait_s=10)
    page = look("/invocations")

    page.get_by_role("combobox", name="Function").fill("desk.count")
    page.get_by_label("Status").select_option("succeeded")
    expect(page.locator("tbody tr").first).to_contain_text("desk.count")

    page.reload()
    page.wait_for_selector("#content h1")
    expect(page.get_by_role("combobox", name="Function")).to_have_value("desk.count")
    assert "status=succeeded" in page.url


@pytest.mark.faults
@pytest.mark.timeout(90)
def test_after_a_restart_of_everything_the_same_history_is_there(look, tmp_path):
    with running_system(
        tmp_path, "--workers", "1", functions=FUNCTIONS, environment=QUICK
    ) as first:
        for number in range(6):
            first.call("desk.divide", wait_s=10, dividend=1, divisor=number % 2)
        page = look("/invocations", of=first)
        expect(page.locator("tbody tr")).to_have_count(6)
        before = rows_of_table(page)
        page.close()

    with running_system(
        tmp_path, "--workers", "1", functions=FUNCTIONS, environment=QUICK
    ) as again:
        page = look("/invocations", of=again)

        expect(page.locator("tbody tr")).to_have_count(6)
        assert rows_of_table(page) == before
        page.close()


def rows_of_table(page):
    """Return what the rows say, but for how long ago they were accepted."""
    cells = "tr => [...tr.children].filter((_, i) => i !== 3).map(td => td.textContent)"
    return page.locator("tbody").first.evaluate(f"body => [...body.children].map({cells})")
