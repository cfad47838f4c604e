"""What all plain calls of a function have in common, worked out once for each manifest.

A plain call wishes nothing of its own: a JSON object, no query, and of the headers that
change what is made of it at most `Prefer`. Nearly all calls are, so what they share is at
hand: the validator, the submission, the shape of the answer. `gateway.plain_calls` says
which are; every other call takes the general way (`runtime.invocations.submission.prepare`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.json_boundary import read_json_object
from gateway.newborn import NewbornShape, NewbornWriter
from gateway.problems import ProblemError
from runtime.errors import ArgumentsError
from runtime.registry.arguments import check_arguments, compile_schema
from runtime.registry.manifest import Manifest
from runtime.store.multiplexer import Multiplexer
from runtime.store.plain_submission import PlainSubmission

_NEVER_IN_DOUBT = frozenset({str, int, bool, type(None)})


class CallPlan:
    """Of one function, as one manifest has it.

    Attributes:
        newborn: Writes the invocation right after its birth.
        unawaited: Submits calls nobody waits for.
        awaited: Submits calls whose callers wait at this gateway.
    """

    __slots__ = ("_is_valid", "awaited", "manifest", "newborn", "unawaited")

    def __init__(
        self,
        manifest: Manifest,
        store: Multiplexer,
        *,
        gateway_id: str,
        max_waiting: int,
        newborns: NewbornWriter,
    ) -> None:
        self.manifest = manifest
        self.newborn: NewbornShape = newborns.shape(
            manifest.name, manifest.version, manifest.options.queue
        )
        self._is_valid: Callable[[object], bool] = compile_schema(
            manifest.judging_schema, exact=False
        ).is_valid

        def submission(waiter: str) -> PlainSubmission:
            return PlainSubmission(
                store,
                function=manifest.name,
                queue=manifest.options.queue,
                version=manifest.version,
                priority=manifest.options.priority,
                max_waiting=manifest.options.max_waiting or max_waiting,
                waiter=waiter,
            )

        self.unawaited = submission("")
        self.awaited = submission(gateway_id)

    def accepts(self, body: bytes) -> bool:
        """Whether a body holds arguments that fit; the general way says what is wrong."""
        try:
            arguments = read_json_object(body)
            if not self._fit_for_certain(arguments):
                check_arguments(self.manifest, arguments)
        except (ArgumentsError, ProblemError):
            return False
        return True

    def _fit_for_certain(self, arguments: dict[str, Any]) -> bool:
        return _NEVER_IN_DOUBT.issuperset(map(type, arguments.values())) and self._is_valid(
            arguments
        )


class CallPlans:
    """The plans of the functions that have been called; made anew when a manifest changes."""

    def __init__(self, store: Multiplexer, *, gateway_id: str, max_waiting: int) -> None:
        self._store = store
        self._gateway_id = gateway_id
        self._max_waiting = max_waiting
        self._newborns = NewbornWriter()
        self._plans: dict[str, CallPlan | None] = {}
        self._made_of: Mapping[str, Manifest] = {}

    def find(self, manifests: Mapping[str, Manifest], name: str) -> CallPlan | None:
        """Return the plan of a function, None when it is unknown or has no plain calls.

        Args:
            manifests: What is published; changed, it is another object.
            name: Of the function.
        """
        if manifests is not self._made_of:
            self._forget_changed(manifests)
        try:
            return self._plans[name]
        except KeyError:
            pass
        manifest = manifests.get(name)
        if manifest is None:
            return None
        plan = self._plans[name] = self._make(manifest)
        return plan

    def _forget_changed(self, manifests: Mapping[str, Manifest]) -> None:
        self._made_of = manifests
        self._plans = {
            name: plan
            for name, plan in self._plans.items()
            if plan is not None and plan.manifest is manifests.get(name)
        }

    def _make(self, manifest: Manifest) -> CallPlan | None:
        unusual = manifest.takes_request or manifest.options.max_age_s or manifest.secrets
        if unusual or not manifest.version:
            return None
        try:
            return CallPlan(
                manifest,
                self._store,
                gateway_id=self._gateway_id,
                max_waiting=self._max_waiting,
                newborns=self._newborns,
            )
        except ValueError:  # no usable schema: the general way says so
            return None
