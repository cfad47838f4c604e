"""A package index on loopback: a folder of files as the simple API in JSON (PEP 691)."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@contextmanager
def package_server(
    folder: Path,
    *,
    uploaded_at: Mapping[str, str] | None = None,
    wrong_hashes: bool = False,
    key: str = "",
) -> Iterator[str]:
    """Serve the wheels of a folder; yield the address of the index.

    Args:
        folder: The wheels.
        uploaded_at: When a file was released, by its name; all others long ago.
        wrong_hashes: Whether the index names hashes that its files do not have.
        key: A password that requests must show; "" for none.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if key and f":{key}@" not in _credentials(self.headers.get("Authorization", "")):
                self._answer(401, b"", "text/plain", {"WWW-Authenticate": "Basic"})
                return
            parts = self.path.strip("/").split("/")
            if parts[0] == "files":
                self._answer(200, (folder / parts[1]).read_bytes(), "application/zip")
            else:
                self._answer(*listing(parts[-1]))

        do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

        def _answer(
            self, status: int, body: bytes, media_type: str, more: Mapping[str, str] | None = None
        ) -> None:
            self.send_response(status)
            headers = {"Content-Type": media_type, "Content-Length": f"{len(body)}"} | (more or {})
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    def listing(name: str) -> tuple[int, bytes, str]:
        files = [
            {
                "filename": file.name,
                "url": f"/files/{file.name}",
                "hashes": {
                    "sha256": "0" * 64
                    if wrong_hashes
                    else hashlib.sha256(file.read_bytes()).hexdigest()
                },
                "upload-time": (uploaded_at or {}).get(file.name, "2020-01-01T00:00:00Z"),
            }
            for file in sorted(folder.iterdir())
            if file.name.partition("-")[0].replace("_", "-").lower() == name
        ]
        listed = {"meta": {"api-version": "1.1"}, "name": name, "files": files}
        media_type = "application/vnd.pypi.simple.v1+json"
        return (200 if files else 404), json.dumps(listed).encode(), media_type

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/packages/"
    finally:
        server.shutdown()
        server.server_close()


def _credentials(header: str) -> str:
    return base64.b64decode(header.removeprefix("Basic ")).decode() + "@" if header else ""
