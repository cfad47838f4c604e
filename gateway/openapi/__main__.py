"""Write the document of a folder: `python -m gateway.openapi functions > openapi.yaml`.

It makes the document that is kept in the repository, without Redis. Function files are loaded in
a child process, as in a worker.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gateway.openapi.document import document_yaml
from runtime.processes.environment import clean_environment
from runtime.processes.fork_server import ForkServer
from runtime.registry.child_load import PRELOAD, inspect
from runtime.registry.discovery import discover
from runtime.registry.manifest import Manifest
from runtime.settings import read_environment


def manifests_of(folder: Path) -> list[Manifest]:
    """Return the manifests of the functions in a folder.

    Raises:
        LoadError: A function file failed to load.
    """
    server = ForkServer(preload=PRELOAD, environment=clean_environment(read_environment()))
    server.start()
    try:
        bundles = [found.bundle for found in discover(folder) if found.bundle is not None]
        return [manifest for bundle in bundles for manifest in inspect(server, bundle)]
    finally:
        server.stop()


if __name__ == "__main__":
    sys.stdout.buffer.write(document_yaml(manifests_of(Path(sys.argv[1]))))
