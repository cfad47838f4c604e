"""Every view: on a phone, in both themes, without a gateway, by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

VIEWS = {
    "Overview": "",
    "Functions": "/functions",
    "desk.count": "/functions/desk.count",
    "Invocations": "/invocations",
    "Queues": "/queues",
    "Workers": "/workers",
    "Schedules": "/schedules",
    "Deliveries": "/deliveries",
}


def test_every_view_fits_a_phone_and_names_itself(look, desk):
    desk.call("desk.count", wait_s=10)
    page = look("")
    page.set_viewport_size({"width": 360, "height": 740})

    for name, view in VIEWS.items():
        page.goto(f"{desk.base_url}/dashboard{view}")
        expect(page.locator("#content h1")).to_contain_text(name)
        expect(page).to_have_title(f"{name} · Penstock")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_that_wcag_aa_asks_for(look, desk, scheme):
    desk.call("desk.divide", wait_s=10, dividend=1, divisor=0)
    page = look("")
    page.emulate_media(color_scheme=scheme)

    for view in ("", "/invocations", "/functions/desk.count"):
        page.goto(f"{desk.base_url}/dashboard{view}")
        page.wait_for_selector("#content h1")
        assert page.evaluate(FAINT) == [], view


def test_an_unknown_address_and_an_unknown_id_say_so(look):
    page = look("/nowhere")
    expect(page.get_by_role("alert")).to_contain_text("There is nothing at /dashboard/nowhere")

    page = look("/functions/desk.nothing")
    expect(page.get_by_role("alert")).to_contain_text("desk.nothing")


def test_a_lost_gateway_is_told_and_what_is_shown_is_marked_as_old(look, own_context):
    page = look("/queues", within=own_context)
    expect(page.locator("#connection")).to_have_text("Live")

    own_context.set_offline(True)
    expect(page.locator("#connection")).to_contain_text("The gateway does not answer")
    assert page.evaluate("document.documentElement.hasAttribute('data-stale')")
    own_context.set_offline(False)

    expect(page.locator("#connection")).to_have_text("Live")


def test_the_charts_can_be_read_by_keyboard_and_as_tables(look, desk):
    desk.call("desk.count", wait_s=10)
    page = look("")
    chart = page.locator(".chart", has_text="Calls ended")

    chart.locator("svg").focus()
    page.keyboard.press("ArrowLeft")
    expect(chart.locator(".readout")).to_contain_text("succeeded")
    chart.get_by_text("As a table").click()

    expect(chart.locator("tbody tr")).to_have_count(60)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("view", ["", "/functions", "/deliveries"])
def test_the_skip_link_is_the_first_stop(look, view, width):
    page = look(view)
    page.set_viewport_size({"width": width, "height": 740})
    page.reload()
    page.wait_for_selector("#content h1")

    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#content")).to_be_focused()


def test_the_view_in_which_one_is_stands_in_sight_on_a_phone(look):
    page = look("")
    page.set_viewport_size({"width": 360, "height": 740})

    page.goto(page.url + "/deliveries")

    expect(page.locator("#views a[aria-current]")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("pk_0123456789ab_" + "S" * 49, "key or a secret"),
        ("ps_" + "S" * 43, "key or a secret"),
        ("whsec_c2VjcmV0", "key or a secret"),
        ("What is this?", "neither the id"),
    ],
)
def test_a_secret_typed_into_the_search_does_not_become_an_address(look, typed, said):
    page = look("/queues")
    address = page.url

    page.get_by_role("searchbox", name="Go to").fill(typed)
    page.keyboard.press("Enter")

    expect(page.locator("#notices")).to_contain_text(said)
    assert page.url == address
    assert typed not in page.content()


def test_a_hidden_tab_asks_for_nothing(look, own_context):
    own_context.clock.install()
    page = look("/queues", within=own_context)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    asked.clear()
    own_context.clock.run_for(60_000)
    assert asked == []

    with page.expect_request("**/queues"):
        page.evaluate("delete document.hidden")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


# Every element with text of its own whose contrast with what lies behind it is below 4.5.
FAINT = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b]
    .map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const faint = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(rgba(element instanceof SVGElement ? style.fill : style.color)),
                    light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(`${element.className} ${element.textContent}: ${ratio.toFixed(2)}`);
  }
  return [...new Set(faint)];
}"""
