"""The packages of functions: being built, there, or refused; and the environments of workers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from runtime.registry.manifest import EnvironmentView, Manifest, PackageView
from tests.e2e.dashboard.conftest import QUICK
from tests.e2e.dashboard.test_every_view import FAINT
from tests.e2e.dashboard.test_login import log_in
from tests.support.api_keys import make_key
from tests.support.gateway_process import closed_gateway
from tests.support.system import System, running_system
from tests.support.waiting import eventually
from tests.support.wheel_index import make_companions, make_index, only_pip
from tests.support.wheels import write_sdist

WAIT_MS = 30_000
# A package that is built from source, which lasts until a file exists.
BACKEND = """
import pathlib, time, zipfile

INFO = "slow-1.0.dist-info"
METADATA = "Metadata-Version: 2.1\\nName: slow\\nVersion: 1.0\\n"
WHEEL = "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"

def get_requires_for_build_wheel(settings=None): return []

def prepare_metadata_for_build_wheel(folder, settings=None):
    pathlib.Path(folder, INFO).mkdir()
    pathlib.Path(folder, INFO, "METADATA").write_text(METADATA)
    pathlib.Path(folder, INFO, "WHEEL").write_text(WHEEL)
    return INFO

def build_wheel(folder, settings=None, metadata=None):
    while not pathlib.Path({go_on!r}).exists(): time.sleep(0.05)
    with zipfile.ZipFile(pathlib.Path(folder, "slow-1.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("slow.py", "VERSION = 1")
        wheel.writestr(INFO + "/METADATA", METADATA)
        wheel.writestr(INFO + "/WHEEL", WHEEL)
        wheel.writestr(INFO + "/RECORD", "")
    return "slow-1.0-py3-none-any.whl"
"""


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A system whose functions name packages, and the file that lets `slow` be built."""

    system: System
    go_on: Path

    def write(self, name: str, *dependencies: str, build: str = "") -> None:
        listed = ", ".join(f'"{each}"' for each in dependencies)
        more = f'# [tool.penstock]\n# build = ["{build}"]\n' if build else ""
        block = f"# /// script\n# dependencies = [{listed}]\n{more}# ///\n"
        body = f'def {name}(n: int = 1) -> int:\n    """Count what is there."""\n    return n\n'
        self.system.write(name, block + body)

    def reach(self, name: str, state: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            answer = self.system.http.get(f"/functions/{name}")
            found: dict[str, Any] = answer.json()
            return found if answer.is_success and found["environment"]["state"] == state else None

        return eventually(look, within_s=50, every_s=0.1)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "companions").mkdir()
    index = make_index(folder / "index", make_companions(folder / "companions"))
    (folder / "functions").mkdir()
    (folder / "functions" / "plain.py").write_text("def plain() -> int:\n    return 1\n")
    go_on = folder / "go on"
    write_sdist(index, "slow", "1.0", BACKEND.replace("{go_on!r}", repr(str(go_on))))
    # A variable of this machine would win over the file.
    environment = only_pip(index, folder / "home") | {"PIP_FIND_LINKS": str(index)}
    with running_system(folder, "--workers", "1", environment=QUICK | environment) as system:
        made = Shop(system=system, go_on=go_on)
        made.write("ready", "demo==1.0")
        made.write("refused", "demo==1.0", "demo==2.0")
        made.reach("ready", "ready")
        made.reach("refused", "failed")
        yield made


def panel(page: Page) -> Locator:
    return page.locator("[data-key=packages]")


def fact(page: Page, name: str) -> Locator:
    return panel(page).locator(".facts > div", has=page.get_by_text(name, exact=True)).locator("dd")


def test_what_is_installed_is_listed(look, shop: Shop):
    shown = shop.system.http.get("/functions/ready").json()
    page = look("/functions/ready", of=shop.system)

    expect(panel(page).locator("h2 .badge.ready")).to_be_visible()
    expect(fact(page, "Python")).to_have_text(shown["environment"]["python"])
    expect(fact(page, "Size on disk")).to_contain_text("MiB")
    expect(fact(page, "Built")).to_contain_text("ago")
    expect(fact(page, "Build took")).to_contain_text("s")
    panel(page).get_by_text(f"{len(shown['dependencies'])} packages").click()
    row = panel(page).locator("tbody tr", has_text="demo")
    expect(row).to_contain_text("1.0")
    expect(panel(page).locator("pre")).to_be_hidden()


def test_a_function_without_packages_has_no_such_panel(look, shop: Shop):
    page = look("/functions/plain", of=shop.system)

    expect(page.get_by_role("heading", name="Invoke")).to_be_visible()
    expect(panel(page)).to_be_hidden()


def test_a_build_is_followed_until_the_function_can_be_called(look, shop: Shop):
    shop.write("late", "slow", build="slow")
    shop.reach("late", "building")
    listed = look("/functions", of=shop.system).locator("tr", has_text="late")
    expect(listed.locator(".badge.building")).to_be_visible()
    page = look("/functions/late", of=shop.system)
    expect(panel(page).locator(".badge.building")).to_be_visible()
    expect(panel(page).get_by_label("Log")).to_contain_text("slow")
    expect(page.get_by_role("heading", name="Invoke")).to_have_count(0)

    elapsed = panel(page).locator("h2 .note")
    before = elapsed.inner_text()
    expect(elapsed).not_to_have_text(before)
    expect(panel(page).get_by_role("button")).to_have_count(0)
    shop.go_on.touch()

    expect(panel(page).locator(".badge.ready")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_role("heading", name="Invoke")).to_be_visible()
    expect(panel(page).get_by_label("Log")).to_be_hidden()
    expect(listed.locator(".badge")).to_have_count(0)
    page.get_by_label("n", exact=False).first.fill("3")
    page.get_by_role("button", name="Invoke").click()
    expect(page.locator(".outcome .badge.succeeded")).to_be_visible(timeout=WAIT_MS)


def test_what_cannot_be_provided_is_told_once_with_its_reason(look, shop: Shop):
    page = look("/functions/refused", of=shop.system)

    expect(panel(page).locator(".badge.failed")).to_be_visible()
    expect(page.get_by_role("alert").locator("pre")).to_contain_text("DependencyConflict")
    expect(panel(page).locator("pre")).to_be_hidden()
    listed = look("/functions", of=shop.system).locator("tr", has_text="refused")
    expect(listed).to_contain_text("failed to load: DependencyConflict in refused.py:1")


def test_packages_are_resolved_anew_once_that_is_confirmed(look, shop: Shop):
    page = look("/functions/ready", of=shop.system)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))

    panel(page).get_by_role("button", name="Resolve anew").click()
    page.get_by_role("button", name="Leave as it is").click()
    assert "POST" not in asked
    panel(page).get_by_role("button", name="Resolve anew").click()
    with page.expect_response("**/functions/ready/relock") as answer:
        page.get_by_role("dialog").get_by_role("button", name="Resolve anew").click()

    assert answer.value.status == 202
    expect(page.locator("#notices")).to_contain_text("are being resolved anew")
    expect(panel(page).locator(".badge.ready")).to_be_visible(timeout=WAIT_MS)


@pytest.mark.faults  # it waits for two heartbeats of the watch
def test_an_environment_that_no_function_needs_is_removed(look, shop: Shop):
    shop.write("moving", "demo==2.0")
    left = shop.reach("moving", "ready")["environment"]["key"]
    page = look("/workers", of=shop.system)
    row = page.locator("[data-key=environments] tr", has_text=left)
    expect(row.get_by_role("link", name="moving")).to_be_visible(timeout=WAIT_MS)
    expect(row).to_contain_text("MiB")
    expect(row.get_by_role("button")).to_have_count(0)
    expect(page.locator("#content .panel").first).to_contain_text("ready")

    (shop.system.functions / "moving.py").unlink()
    expect(row.get_by_role("button", name="Remove")).to_be_visible(timeout=WAIT_MS)
    row.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"Remove the environment {left}?")
    page.get_by_role("button", name="Remove it").click()

    expect(page.locator("#notices")).to_contain_text(f"{left} is being removed")
    expect(row).to_have_count(0, timeout=WAIT_MS)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_the_pages_fit_and_can_be_read(look, shop: Shop, width: int, scheme: str):
    page = look("/functions/ready", of=shop.system)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)

    for view in ("/functions/ready", "/functions/refused", "/functions", "/workers"):
        page.goto(f"{shop.system.base_url}/dashboard{view}")
        page.wait_for_selector("#content h1")
        for closed in page.locator("details.packages > summary:visible").all():
            closed.click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        for frame in page.locator(".table-frame:visible").all():
            assert frame.evaluate("frame => frame.scrollWidth <= frame.clientWidth"), view
        assert page.evaluate(FAINT) == [], view


def test_a_key_that_may_only_read_is_told_so_and_a_hostile_log_stays_text(
    own_context: BrowserContext, tmp_path: Path
):
    hostile = "\x1b[31m<img src=x onerror='window.harmed = 1'>\u202e"
    building = EnvironmentView(state="building", since_ms=1, message=hostile)
    served = Manifest(
        name="hello",
        version="aaaaaaaaaaaa",
        file="hello.py",
        environment=building,
        dependencies=(PackageView(name="<b>demo</b>", version="1.0"),),
    )
    with closed_gateway(tmp_path, served) as gateway:
        page = own_context.new_page()
        page.goto(f"{gateway.url}/dashboard/login?next=/dashboard/functions/hello")
        log_in(page, make_key(gateway.connection, "onlooker", "read").text)

        log = panel(page).get_by_label("Log")
        expect(log).to_have_text(r"\u001b[31m<img src=x onerror='window.harmed = 1'>\u202e")
        panel(page).get_by_text("1 package of the version that serves").click()
        expect(panel(page).locator("tbody")).to_contain_text("<b>demo</b>")
        assert page.evaluate("window.harmed") is None
        gateway.publish(replace(served, environment=EnvironmentView(state="ready")))
        panel(page).get_by_role("button", name="Resolve anew").click()
        page.get_by_role("dialog").get_by_role("button", name="Resolve anew").click()
        expect(page.locator("#notices")).to_contain_text("lacks the scope `operate`")
