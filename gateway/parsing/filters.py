"""Parse the filters of a list, a bulk retry or a bulk cancel from the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.parsing.call_options import read_moment, read_tag
from gateway.parsing.preferences import fault_of, read_query_lists
from gateway.routing.operation import QueryParameter
from runtime.errors import ArgumentFault
from runtime.invocations.listing import Filters
from runtime.invocations.status import Status
from runtime.sdk.option_parsing import is_function_name


def read_filter_query(query: str, known: Sequence[QueryParameter]) -> dict[str, str]:
    """Return the query parameters of a list, with several statuses joined by commas.

    Statuses are sorted and each is kept once, so that equal filters have equal cursors.

    Raises:
        ProblemError: `parameter_invalid`, with a fault for each parameter that is unknown or given
            too often.
    """
    given = {name: ",".join(texts) for name, texts in read_query_lists(query, known).items()}
    if "status" in given:
        given["status"] = ",".join(sorted(set(given["status"].split(","))))
    return given


def read_filters(
    query: Mapping[str, str], status_parameter: QueryParameter, faults: list[ArgumentFault]
) -> Filters:
    """Return the filters of a query and append what is wrong to `faults`."""
    function, tag = query.get("function"), query.get("tag")
    if function is not None and not is_function_name(function):
        faults.append(fault_of("?function", "takes the name of a function"))
    if tag is not None:
        try:
            tag = read_tag(tag)
        except ValueError as error:
            faults.append(fault_of("?tag", f"takes {error}"))
    return Filters(
        function=function,
        statuses=read_statuses(query, status_parameter, faults),
        tag=tag,
        since_ms=_read_moment(query, "since", faults),
        before_ms=_read_moment(query, "before", faults),
    )


def read_statuses(
    query: Mapping[str, str], parameter: QueryParameter, faults: list[ArgumentFault]
) -> tuple[Status, ...]:
    """Return the statuses in a query and append what is wrong to `faults`."""
    if "status" not in query:
        return ()
    asked = query["status"].split(",")
    if not set(asked) <= set(parameter.choices):
        some = ", ".join(parameter.choices)
        faults.append(
            fault_of("?status", f"takes one or more of {some}, repeated or separated by commas")
        )
        return ()
    return tuple(Status(status) for status in asked)


def _read_moment(query: Mapping[str, str], name: str, faults: list[ArgumentFault]) -> int | None:
    if name not in query:
        return None
    try:
        return read_moment(query[name])
    except ValueError as error:
        faults.append(fault_of(f"?{name}", f"takes {error}"))
        return None
