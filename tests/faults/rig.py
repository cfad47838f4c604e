"""The system under test and everything around it that a scenario needs, in one place."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.faults.calling import Arguments, Callers
from tests.faults.deaths import Deaths
from tests.faults.onlooker import Onlooker
from tests.faults.redis_part import RedisPart
from tests.faults.witness import Witness
from tests.support.system import System, running_system
from tests.support.waiting import eventually

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

    def parts(self, kind: str) -> list[psutil.Process]:
        """Return the supervised processes of a kind, once all that were started live."""

        def look() -> list[psutil.Process] | None:
            with contextlib.suppress(psutil.NoSuchProcess):
                return self.system.parts(kind)
            return None

        return eventually(look, within_s=20)

    def callers(self, function: str, arguments: Arguments, **more: Any) -> Callers:
        """Return callers of one function."""
        return Callers(self.system.base_url, function, arguments, **more)


@contextmanager
def rigged(
    folder: Path,
    *flags: str,
    redis: RedisPart | None = None,
    functions: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Rig]:
    """Start a system; `functions` are further files, name to source.

    Its Redis is one of its own, unless the test brings one that runs already.
    """
    witness = Witness(folder / "witness")
    witness.write_functions(folder / "functions")
    for name, source in (functions or {}).items():
        (folder / "functions" / f"{name}.py").write_text(source)
    with ExitStack() as stack:
        redis = redis or stack.enter_context(_own_redis())
        system = stack.enter_context(
            running_system(
                folder,
                *("--redis", redis.url, *flags),
                functions=folder / "functions",
                environment={"PENSTOCK_CALLBACK_SECRET": SECRET, **(environment or {})},
            )
        )
        onlooker = stack.enter_context(Onlooker(system.base_url))
        yield Rig(system=system, redis=redis, witness=witness, onlooker=onlooker, folder=folder)


@contextmanager
def _own_redis() -> Iterator[RedisPart]:
    with tempfile.TemporaryDirectory(prefix="penstock-") as short:  # a socket's path is short
        redis = RedisPart(Path(short))
        redis.start()
        try:
            yield redis
        finally:
            redis.close()
