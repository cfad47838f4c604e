"""`record`: run a function in a test as `call` does, and keep all that callers would see of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runtime.testing.arguments import Given
from runtime.testing.call import perform
from runtime.testing.kept_output import KeptOutput
from runtime.testing.notes import Notes, Progress
from runtime.testing.target import Target, find_function


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """How a call went.

    Attributes:
        result: The decoded result; None if the call failed.
        error: What the function raised, or why its arguments or its result were refused; None if
            the call succeeded.
        progress: The reports of progress: (done, total, message).
        events: What was emitted.
        items: What a generator yielded, also before it failed.
        logs: What was printed and logged, by Python code.
    """

    result: Any
    error: BaseException | None
    progress: list[Progress]
    events: list[Any]
    items: list[Any]
    logs: str


def record(target: Target, /, **arguments: Any) -> RecordedCall:  # noqa: ANN401 - as `call`
    """Run a function once, as `call` does; whatever comes of the call is returned, not raised.

    Args:
        target: The function, or `PATH` or `PATH:NAME` of its file.
        **arguments: Its arguments, by name, as for `call`.

    Raises:
        LoadError: The function or its file cannot be loaded.
        TypeError: An argument has no JSON form.
    """
    function = find_function(target)
    given = Given.of(function.manifest, arguments)
    notes, result, error = Notes(), None, None
    with KeptOutput() as output:
        try:
            result = perform(function, given, notes)
        except (Exception, SystemExit) as raised:  # noqa: BLE001 - the test asks for it
            error = raised
    return RecordedCall(
        result=result,
        error=error,
        progress=notes.progress,
        events=notes.events,
        items=notes.items,
        logs=output.text(),
    )
