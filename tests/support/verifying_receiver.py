"""A receiver of callbacks in a process of its own, as a caller would run one.

It verifies every delivery with the `standardwebhooks` package, which shares no code with our
signing, and appends what came to a file: one JSON object a line. Tests read that file.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.support.waiting import eventually


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where deliveries go and where they can be read."""

    url: str
    file: Path

    def deliveries(self) -> list[dict[str, Any]]:
        """Return what has come so far: `valid`, `headers` and `body` of each."""
        lines = self.file.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")][1:]

    def delivery_of(self, invocation_id: str, *, within_s: float = 10) -> dict[str, Any]:
        """Return the first delivery about an invocation."""

        def found() -> dict[str, Any] | None:
            of_it = (d for d in self.deliveries() if d["headers"].get("x-call-id") == invocation_id)
            return next(of_it, None)

        return eventually(found, within_s=within_s)


@contextmanager
def receiver_process(folder: Path, secret: str) -> Iterator[Receiver]:
    """Run a receiver until the block ends."""
    file = folder / "deliveries.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.verifying_receiver", str(file), secret],
        cwd=Path(__file__).parents[2],
    )
    try:
        eventually(lambda: file.exists() and file.read_text().endswith("\n"), within_s=10)
        port = json.loads(file.read_text().splitlines()[0])["port"]
        yield Receiver(url=f"http://127.0.0.1:{port}/results", file=file)
    finally:
        process.terminate()
        process.wait()


def serve(file: Path, secret: str) -> None:
    """Serve for ever; the first line of the file is the port."""
    webhook = Webhook(secret)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                webhook.verify(body, headers)
                valid = True
            except WebhookVerificationError:
                valid = False
            write({"valid": valid, "headers": headers, "body": json.loads(body)})
            self.send_response(204 if valid else 400)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
            """Say nothing."""

    def write(value: dict[str, Any]) -> None:
        with file.open("a") as target:
            target.write(json.dumps(value) + "\n")

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        write({"port": server.server_address[1]})
        server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
