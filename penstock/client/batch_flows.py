"""What the client does for many calls at once: submit them in batches, read how each ended.

Results are read in pages, so that only one page is in memory, however many calls there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.client.batch_parts import cut_parts, key_of_part
from penstock.client.errors import (
    AlreadyFinishedError,
    ArgumentsInvalidError,
    InvocationError,
    WaitTimeoutError,
    problem_error,
)
from penstock.client.flows import Caller, Record
from penstock.client.retrying import exchange
from penstock.client.steps import Emit, Flow, Pause, Query, Request, path_to
from penstock.client.values import ENDINGS, encode_arguments, ending_error

_PAGE = 100
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0
_OMITTED = ("result_omitted", "error_omitted", "arguments_omitted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One batch of the system: its id, its size and the index of its first call among all."""

    id: str
    size: int
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one call of a batch ended.

    Attributes:
        index: Its place among the rows, from 0.
        invocation: Its record.
        error: Why it did not succeed; None if it did.
        value: What the function returned; None if it did not succeed.
    """

    index: int
    invocation: Record
    error: InvocationError | None = None
    value: Any = None

    def result(self) -> Any:  # noqa: ANN401 - whatever the function returned
        """Return what the function returned.

        Raises:
            InvocationError: The call did not succeed.
        """
        if self.error is not None:
            raise self.error
        return self.value


def submit_batch(
    caller: Caller, function: str, rows: Iterable[Mapping[str, object]]
) -> Flow[tuple[Part, ...]]:
    """Submit a call for every row, in as many batches as that takes.

    An error, also one of `rows`, has a note with the batches before it, which stay accepted.

    Raises:
        PenstockError: A batch was not accepted.
    """
    parts: list[Part] = []
    try:
        yield from _submit_parts(caller, function, rows, parts)
    except Exception as error:
        if parts:
            size, ids = _size(parts), ", ".join(part.id for part in parts)
            error.add_note(f"The first {size} rows stay accepted, in the batches {ids}.")
        raise
    return tuple(parts)


def _submit_parts(
    caller: Caller, function: str, rows: Iterable[Mapping[str, object]], parts: list[Part]
) -> Flow[None]:
    """Submit the rows; append each batch to `parts` as soon as it is accepted."""
    headers = caller.options.headers() | {"Content-Type": "application/x-ndjson"}
    key = headers["Idempotency-Key"]
    for number, lines in enumerate(cut_parts(map(encode_arguments, rows), size_of=len), 1):
        request = Request(
            method="POST",
            path=path_to("functions", function, "batch"),
            query=caller.options.query(),
            headers=headers | {"Idempotency-Key": key_of_part(key, number)},
            body=b"\n".join(lines),
        )
        first = _size(parts)
        try:
            answer = yield from exchange(request, caller.policy, float("inf"))
        except ArgumentsInvalidError as error:
            error.errors = [{**e, "pointer": _shift(e["pointer"], first)} for e in error.errors]
            raise
        parts.append(Part(id=answer.json()["id"], size=len(lines), first=first))


def _size(parts: Sequence[Part]) -> int:
    return sum(part.size for part in parts)


def _shift(pointer: str, by: int) -> str:
    """Count a pointer to a row from the first row of all."""
    _, index, *rest = pointer.split("/")
    return "/".join(["", str(int(index) + by), *rest]) if index.isdecimal() else pointer


def count(caller: Caller, parts: Iterable[Part]) -> Flow[dict[str, int]]:
    """Return how many calls have each status."""
    total: Counter[str] = Counter()
    for part in parts:
        answer = yield from caller.ask("GET", path_to("batches", part.id))
        total.update(answer.json()["counts"])
    return dict(total)


def cancel(caller: Caller, parts: Iterable[Part]) -> Flow[None]:
    """Cancel the calls that have not finished."""
    for part in parts:
        try:
            yield from caller.ask("DELETE", path_to("batches", part.id))
        except AlreadyFinishedError:
            continue


def in_order(caller: Caller, parts: Iterable[Part]) -> Flow[None]:
    """Emit the outcome of every call, in the order of the rows."""
    deadline = caller.deadline()
    for part in parts:
        pages = _Pages(part)
        for number in range(pages.count):
            records = yield from pages.read(caller, number)
            for place, seen in enumerate(records):
                record = seen
                if record["status"] not in ENDINGS:
                    record = yield from caller.await_end(record["id"], deadline)
                index = part.first + number * _PAGE + place
                yield Emit((yield from _outcome(caller, index, record)))


def as_completed(caller: Caller, parts: Iterable[Part]) -> Flow[None]:
    """Emit the outcome of every call, in about the order in which they end."""
    deadline = caller.deadline()
    left = [_Pages(part) for part in parts]
    pause_s = _FIRST_PAUSE_S
    while left:
        emitted = 0
        for pages in left:
            emitted += yield from pages.emit_ended(caller)
        left = [pages for pages in left if pages.pending]
        now = caller.policy.now()
        if left and now >= deadline:
            raise WaitTimeoutError(left[0].part.id)
        pause_s = _FIRST_PAUSE_S if emitted else min(pause_s * 1.5, _LONGEST_PAUSE_S)
        if left and not emitted:
            yield Pause(min(pause_s, deadline - now))


@dataclass
class _Pages:
    """The pages of a batch: the cursors of those that can be read, and what was not emitted."""

    part: Part
    cursors: list[str] = field(default_factory=lambda: [""])
    pending: dict[int, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for start in range(0, self.part.size, _PAGE):
            self.pending[start // _PAGE] = set(range(min(_PAGE, self.part.size - start)))
        self.count = len(self.pending)

    def read(self, caller: Caller, number: int) -> Flow[list[Record]]:
        """Return the records of a page; the page before must have been read.

        Raises:
            GoneError: Some of them are no longer kept.
        """
        query: Query = (("limit", str(_PAGE)),)
        if number:
            query += (("cursor", self.cursors[number]),)
        answer = (yield from caller.ask("GET", path_to("batches", self.part.id), query)).json()
        if number + 1 == len(self.cursors):
            self.cursors.append(answer["next"] or "")
        records: list[Record] = answer["items"]
        if len(records) < min(_PAGE, self.part.size - number * _PAGE):
            detail = f"some invocations of the batch {self.part.id} are no longer kept"
            raise problem_error({"code": "invocation_gone", "status": 410, "detail": detail})
        return records

    def emit_ended(self, caller: Caller) -> Flow[int]:
        """Emit the calls that have ended since the last time; return their number."""
        counts = yield from count(caller, [self.part])
        waiting = self.part.size - sum(counts[status] for status in ENDINGS)
        new = sum(map(len, self.pending.values())) - waiting
        emitted = 0
        for number in list(self.pending):
            if emitted >= new:
                break
            records = yield from self.read(caller, number)
            for place in sorted(self.pending[number]):
                if records[place]["status"] in ENDINGS:
                    self.pending[number].discard(place)
                    index = self.part.first + number * _PAGE + place
                    yield Emit((yield from _outcome(caller, index, records[place])))
                    emitted += 1
            if not self.pending[number]:
                del self.pending[number]
        return emitted


def _outcome(caller: Caller, index: int, record: Record) -> Flow[Outcome]:
    if any(record.get(name) for name in _OMITTED):
        record = yield from caller.read(record["id"])
    error = ending_error(record)
    if error is not None:
        return Outcome(index=index, invocation=record, error=error)
    value = yield from caller.read_result(record)
    return Outcome(index=index, invocation=record, value=value)
