"""What docs/operations/hardening.md tells to write works: the proxy's block and the unit."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.api_keys import make_key
from tests.support.gateway_process import RunningGateway, running_gateway
from tests.support.redis_server import own_redis
from tests.support.waiting import eventually

PAGE = Path(__file__).parents[3] / "docs" / "operations" / "hardening.md"
NGINX = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        {block}
    }}
}}
"""


def snippet(begins: str) -> str:
    """Return the indented block of the page that begins with a line."""
    lines = PAGE.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip() == begins)
    indent = lines[start][: -len(lines[start].lstrip())]
    block = []
    for line in lines[start:]:
        if line and not line.startswith(indent):
            break
        block.append(line)
    return textwrap.dedent("\n".join(block)).strip() + "\n"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with (
        own_redis(tmp_path_factory.mktemp("redis")) as url,
        running_gateway(url, auth="required") as gateway,
    ):
        yield gateway


@pytest.fixture(scope="module")
def proxy(
    guarded: RunningGateway, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """Nginx with the page's block before the gateway, speaking TLS on a port of its own."""
    if not (shutil.which("nginx") and shutil.which("openssl")):
        pytest.skip("no nginx or no openssl installed")
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=127.0.0.1", "-keyout", folder / "key.pem"),
            *("-out", folder / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    block = snippet("location / {").replace("127.0.0.1:8000", f"127.0.0.1:{guarded.port}")
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port, block=block))
    nginx = subprocess.Popen(["nginx", "-c", configuration, "-p", folder])
    try:
        with httpx.Client(
            base_url=f"https://127.0.0.1:{port}", verify=False, timeout=20, trust_env=False
        ) as client:
            eventually(lambda: _answers(client), within_s=10)
            yield client
    finally:
        nginx.terminate()
        nginx.wait(10)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/livez").status_code == 200
    except httpx.TransportError:
        return False


def test_a_browser_logs_in_through_the_proxy_and_its_cookie_is_secure(
    proxy: httpx.Client, guarded: RunningGateway
):
    key = make_key(guarded.connection, "admin", "admin").text
    origin = str(proxy.base_url).rstrip("/")

    answer = proxy.post("/session", json={"key": key}, headers={"Origin": origin})

    assert answer.status_code == 200, answer.text
    assert "; Secure" in answer.headers["Set-Cookie"]
    other = proxy.post("/session", json={"key": key}, headers={"Origin": "https://127.0.0.1"})
    assert other.status_code == 403


def test_the_proxy_lets_a_session_change_things_and_end(
    proxy: httpx.Client, guarded: RunningGateway
):
    key = make_key(guarded.connection, "admin", "admin").text
    origin = {"Origin": str(proxy.base_url).rstrip("/")}
    proxy.post("/session", json={"key": key}, headers=origin)

    created = proxy.post("/keys", json={"name": "x", "scopes": ["read"]}, headers=origin)
    ended = proxy.delete("/session", headers=origin)

    assert (created.status_code, ended.status_code) == (201, 204)
    assert proxy.get("/keys").status_code == 401


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd installed")
    unit = snippet("[Service]")
    assert re.search(r"^WorkingDirectory=/\S+$", unit, re.MULTILINE)
    file = tmp_path / "penstock-worker.service"
    file.write_text(
        re.sub(r"ExecStart=\S+", "ExecStart=/bin/sh", unit).replace("penstock-worker", "root")
    )

    run = subprocess.run(
        ["systemd-analyze", "verify", file], capture_output=True, check=False, text=True, timeout=50
    )

    said = [line for line in run.stderr.splitlines() if "penstock-worker.service" in line]
    assert said == []
