"""A process that owns a fork server and waits to be killed; prints the pids below it."""

from __future__ import annotations

import json
import sys
import threading

from runtime.processes.environment import clean_environment
from runtime.processes.fork_server import ForkServer
from runtime.settings import read_environment


def main() -> None:
    """Start a server and a child with grandchildren, tell, and stay."""
    server = ForkServer(preload=[], environment=clean_environment(read_environment()))
    child = server.spawn("tests.unit.runtime.processes.entries:stay")
    pids = [server.pid, *json.loads(child.channel.receive(20)[0])]
    sys.stdout.write(json.dumps(pids) + "\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
