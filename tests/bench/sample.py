"""What one work on one system in one round gave.

A sample holds its errors, so that nothing that went wrong can be left out later.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one work on one system in one round gave.

    Attributes:
        figure: In the unit of the work.
        calls: How many were measured.
        errors: How many calls were not answered, or not as they must be.
        example: One bad answer, where there is one.
        processor_us: Processor time of the whole system (Redis included) for a call.
        memory_mb: What the whole system held half-way, pages that processes share counted once;
            0 where nobody looked.
        others_share: Of the machine's processor time meanwhile, what nobody here used.
    """

    round: int
    system: str
    work: str
    figure: float
    calls: int
    errors: int = 0
    example: str = ""
    processor_us: float = 0.0
    memory_mb: float = 0.0
    p50_ms: float = 0.0
    p90_ms: float = 0.0
    p99_ms: float = 0.0
    client_processor_us: float = 0.0
    others_share: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON carries it."""
        return asdict(self)
