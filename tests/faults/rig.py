"""The system under test and everything around it that a scenario needs, in one place."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.calling import Arguments, Callers
from tests.faults.deaths import Deaths
from tests.faults.onlooker import Onlooker
from tests.faults.redis_part import RedisPart
from tests.faults.witness import Witness
from tests.support.system import System, running_system


SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A running system with a Redis of its own, an outside witness and an onlooker."""

    system: System
    redis: RedisPart
    witness: Witness
    onlooker: Onlooker
    folder: Path
    secret: str = SECRET
    deaths: Deaths = field(default_factory=Deaths)

    def callers(self, function: str, arguments: Arguments, **more: Any) -> Callers:
        """Return callers of one function."""
        return Callers(self.system.base_url, function, arguments, **more)


@contextmanager
def rigged(
    folder: Path,
    *flags: str,
    functions: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Rig]:
    """Start a system on a Redis of its own; `functions` are further files, name to source."""
    witness = Witness(folder / "witness")
    witness.write_functions(folder / "functions")
    for name, source in (functions or {}).items():
        (folder / "functions" / f"{name}.py").write_text(source)
    with tempfile.TemporaryDirectory(prefix="penstock-") as short:
        redis = RedisPart(Path(short))
        redis.start()
        try:
            with (
                running_system(
                    folder,
                    *("--redis", redis.url, *flags),
                    functions=folder / "functions",
                    environment={"PENSTOCK_CALLBACK_SECRET": SECRET, **(environment or {})},
                ) as system,
                Onlooker(system.base_url) as onlooker,
            ):
                yield Rig(
                    system=system, redis=redis, witness=witness, onlooker=onlooker, folder=folder
                )
        finally:
            redis.close()
