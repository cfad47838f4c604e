"""Function files that tests write, as they would have been published."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from runtime.execution.runner_protocol import RunnerLimits
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest
from runtime.sdk.options import Options

MAX_RESULT_BYTES = 100_000
MAX_LOG_BYTES = 4_000
LIMITS = RunnerLimits(max_result_bytes=MAX_RESULT_BYTES, max_log_bytes=MAX_LOG_BYTES)


@dataclass(frozen=True)
class Written:
    """A function file."""

    manifest: Manifest
    bundle: Bundle


def write(source: str, *, name: str = "f", file: str = "f.py", **options: object) -> Written:
    """Publish a file with a function, which is `f` of `f.py`."""
    bundle = Bundle(
        root="/srv/functions", file=file, sources={file: textwrap.dedent(source).encode()}
    )
    manifest = Manifest(name=name, version=bundle.version, file=file, options=Options(**options))
    return Written(manifest, bundle)
