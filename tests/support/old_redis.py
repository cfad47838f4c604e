"""A server that says it is a Redis of an old version: an outside part we have none of."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import hiredis


@contextmanager
def old_redis(version: str) -> Iterator[str]:
    """Answer INFO with that version and everything else with OK; yield the URL."""
    info = f"# Server\r\nredis_version:{version}\r\nredis_mode:standalone\r\n".encode()

    class Conversation(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            reader = hiredis.Reader()
            while data := self.request.recv(65_536):
                reader.feed(data)
                while (words := reader.gets()) is not False:
                    is_info = words[0].upper() == b"INFO"
                    answer = b"$%d\r\n%s\r\n" % (len(info), info) if is_info else b"+OK\r\n"
                    self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
