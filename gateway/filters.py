"""Which invocations a list, a bulk retry or a bulk cancel is about, out of its query."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.operations import Parameter
from gateway.preferences import fault_of
from gateway.wishes import read_moment, read_tag
from runtime.errors import ArgumentFault
from runtime.invocations.history import Filters
from runtime.invocations.statuses import Status
from runtime.sdk.option_parsing import is_function_name


def read_filters(
    query: Mapping[str, str], status_parameter: Parameter, faults: list[ArgumentFault]
) -> Filters:
    """Return the filters of a query; what is wrong is added to `faults`."""
    function, tag = query.get("function"), query.get("tag")
    if function is not None and not is_function_name(function):
        faults.append(fault_of("?function", "takes a function's name"))
    if tag is not None:
        try:
            tag = read_tag(tag)
        except ValueError as error:
            faults.append(fault_of("?tag", f"takes {error}"))
    return Filters(
        function=function,
        status=read_status(query, status_parameter, faults),
        tag=tag,
        since_ms=_read_moment(query, "since", faults),
        before_ms=_read_moment(query, "before", faults),
    )


def read_status(
    query: Mapping[str, str], parameter: Parameter, faults: list[ArgumentFault]
) -> Status | None:
    """Return the status a query asks for."""
    status = query.get("status")
    if status is None:
        return None
    if status not in parameter.choices:
        faults.append(fault_of("?status", f"takes one of {', '.join(parameter.choices)}"))
        return None
    return Status(status)


def _read_moment(query: Mapping[str, str], name: str, faults: list[ArgumentFault]) -> int | None:
    if name not in query:
        return None
    try:
        return read_moment(query[name])
    except ValueError as error:
        faults.append(fault_of(f"?{name}", f"takes {error}"))
        return None
