"""What all calls of a function have in common, computed once for each manifest.

A plan has the validator, the common fields of submissions, the pipelines in which the calls of one
turn of the loop share a script, and the response templates. Every call takes the same path;
options only add parts to its submission.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.invoke.response_templates import AcceptedTemplates
from runtime.invocations.submission import Submission, share
from runtime.registry.argument_check import check_arguments, compile_schema
from runtime.registry.manifest import Manifest
from runtime.store.async_connection import AsyncConnection
from runtime.store.submission_commands import Parts, Submitted, submit
from runtime.store.submit_pipeline import SubmitPipeline, pack_parts

# Values of these types contain no float, the only type on which the exact validator may differ.
_NEVER_IN_DOUBT = frozenset({str, int, bool, type(None)})
_MOST_CALLERS = 4096


class PackedParts(NamedTuple):
    """Parts that many calls have in common, encoded for Redis, and their number of words."""

    packed: bytes
    words: int

    @classmethod
    def of(cls, parts: Parts) -> PackedParts:
        """Encode parts."""
        return cls(pack_parts(parts), len(parts))


class CallPlan:
    """The plan of one function, for one of its manifests.

    Attributes:
        manifest: The manifest.
        accepted: The templates for accepted invocations.
        takes_request: Whether the function takes the HTTP request itself.
        verification: How its webhooks are verified; None if it verifies none.
        shared: The common fields of its submissions.

    Args:
        manifest: The function's manifest.
        store: Where calls are submitted.
        max_waiting: How many invocations may wait if the function sets no limit; 0: any.
        accepted: The templates for accepted invocations.
    """

    __slots__ = (
        "_groups",
        "_is_valid",
        "_store",
        "accepted",
        "manifest",
        "shared",
        "takes_request",
        "verification",
    )

    def __init__(
        self,
        manifest: Manifest,
        store: AsyncConnection,
        *,
        max_waiting: int,
        accepted: AcceptedTemplates,
    ) -> None:
        self.manifest = manifest
        self.accepted = accepted
        self.takes_request = manifest.takes_request
        self.verification = manifest.options.verify
        self.shared = share(manifest, max_waiting=max_waiting)
        self._store = store
        self._groups: dict[str, SubmitPipeline] = {}
        self._is_valid: Callable[[object], bool] | None
        try:
            self._is_valid = compile_schema(manifest.validation_schema, exact=False).is_valid
        except ValueError:  # no usable schema: check_arguments reports that
            self._is_valid = None

    def check(self, arguments: dict[str, Any]) -> None:
        """Check decoded arguments: fast if they are valid and simple, exactly otherwise.

        Raises:
            ArgumentsError: They do not fit the schema; it names each fault and its place.
        """
        is_certain = _NEVER_IN_DOUBT.issuperset(map(type, arguments.values()))
        if not (is_certain and self._is_valid is not None and self._is_valid(arguments)):
            check_arguments(self.manifest, arguments)

    def submit(
        self, submission: Submission, settled: PackedParts | None = None
    ) -> asyncio.Future[Submitted]:
        """Submit a call, together with others of this function in the same turn of the loop.

        Args:
            submission: The call.
            settled: The parts of its options, if they have been encoded before.
        """
        group = self._groups.get(submission.waiter or "")
        if group is None:
            group = self._groups[submission.waiter or ""] = self._group(submission.waiter or "")
        caller, own = _caller_parts(submission), submission.own_parts()
        if settled is None:
            settled = PackedParts.of(submission.call_options.parts())
        return group.submit(
            submission.id.encode(),
            submission.arguments,
            caller.packed + settled.packed + pack_parts(own),
            caller.words + settled.words + len(own),
        )

    def _group(self, waiter: str) -> SubmitPipeline:
        shared = self.shared
        call = submit(
            function=shared.function,
            queue=shared.queue,
            version=shared.version,
            priority=shared.priority,
            max_waiting=shared.max_waiting,
            waiter=waiter,
        )
        return SubmitPipeline(self._store, call)


class CallPlans:
    """The plans of the functions that have been called; a changed manifest gets a new plan."""

    def __init__(self, store: AsyncConnection, *, max_waiting: int) -> None:
        self._store = store
        self._max_waiting = max_waiting
        self._accepted = AcceptedTemplates()
        self._plans: dict[str, CallPlan] = {}
        self._made_of: Mapping[str, Manifest] = {}

    def find(self, manifests: Mapping[str, Manifest], name: str) -> CallPlan | None:
        """Return the plan of a function; None if the function is not in `manifests`.

        Args:
            manifests: The published functions; a new object after each change.
            name: The function's name.
        """
        if manifests is not self._made_of:
            self._made_of = manifests
            self._plans = {
                known: plan
                for known, plan in self._plans.items()
                if plan.manifest is manifests.get(known)
            }
        plan = self._plans.get(name)
        if plan is None and (manifest := manifests.get(name)) is not None:
            plan = self._plans[name] = self._make(manifest)
        return plan

    def of(self, manifests: Mapping[str, Manifest], manifest: Manifest) -> CallPlan:
        """Return the plan of a manifest; it is not kept if `manifests` lacks the manifest."""
        plan = self.find(manifests, manifest.name)
        return plan if plan and plan.manifest is manifest else self._make(manifest)

    def _make(self, manifest: Manifest) -> CallPlan:
        return CallPlan(
            manifest, self._store, max_waiting=self._max_waiting, accepted=self._accepted
        )


_of_callers: dict[tuple[str, str | None], PackedParts] = {}


def _caller_parts(submission: Submission) -> PackedParts:
    """Return the parts that identify the caller, encoded once for each caller."""
    shown = (submission.api_key, submission.caller)
    parts = _of_callers.get(shown)
    if parts is None:
        if len(_of_callers) >= _MOST_CALLERS:
            _of_callers.clear()
        parts = _of_callers[shown] = PackedParts.of(submission.caller_parts())
    return parts
