"""What the attempts of an invocation printed and logged, as one text or by attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.invocations.record import Record

MOST_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The output of each attempt that printed something, by its number, oldest first.

    Attributes:
        is_cut: Whether output of early attempts is no longer kept.
    """

    of_attempts: dict[int, bytes]
    is_cut: bool

    @property
    def whole(self) -> bytes:
        """The whole output; if several attempts printed, each part follows a line with its number.

        The last attempt's output is complete; of those before as much as fits into 64 KiB.
        """
        last = max(self.of_attempts, default=0)
        if last <= 1 and not self.is_cut:
            return self.of_attempts.get(last, b"")
        parts: list[bytes] = []
        size, is_cut = 0, self.is_cut
        for attempt, text in sorted(self.of_attempts.items(), reverse=True):
            size += len(text)
            if size > MOST_BYTES and attempt != last:
                is_cut = True
                break
            end = b"" if text.endswith(b"\n") or attempt == last else b"\n"
            parts.append(b"=== attempt %d ===\n%b%b" % (attempt, text, end))
        if is_cut:
            parts.append(b"[output of earlier attempts left out: ?attempt=N shows what is kept]\n")
        return b"".join(reversed(parts))


def output_of(record: Record, earlier: Sequence[bytes]) -> Output:
    """Return the output of a record and, as far as it is kept, of its earlier attempts."""
    of_attempts: dict[int, bytes] = {}
    is_cut = False
    for entry in earlier:
        number, _, text = entry.partition(b"\n")
        if number == b"0":
            is_cut = True
        else:
            of_attempts[int(number)] = text
    if record.logs:
        of_attempts[record.attempt] = record.logs
    return Output(of_attempts=of_attempts, is_cut=is_cut)
