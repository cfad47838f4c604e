"""/docs in a real browser that can reach nothing but the gateway."""

from __future__ import annotations

import shutil
import subprocess

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.skipif(BROWSER is None, reason="no chromium installed")
def test_the_page_renders_the_functions_without_a_network(gateway, tmp_path):
    page = subprocess.run(
        [
            str(BROWSER),
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-sync"),
            *("--disable-component-update", f"--user-data-dir={tmp_path}"),
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            *("--virtual-time-budget=15000", "--dump-dom", f"{gateway.url}/docs"),
        ],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    ).stdout

    assert "Greet somebody" in page
    assert "/functions/pictures.shrink" in page
    assert "openapi-python-client generate" in page
    assert ">Generate SDK<" not in page, "an advertisement that leads to another host"
