"""POST /invocations/{id}/retry: invoke again, with the same arguments."""

from __future__ import annotations

from falcon.asgi import Request, Response

from gateway.auth.caller import caller_of, identity_of
from gateway.auth.permissions import lacks_scope
from gateway.auth.webhook_callers import require_key
from gateway.invoke.accept_spans import trace_of
from gateway.invoke.call_plan import CallPlans
from gateway.invoke.invoker import Invoker
from gateway.live.manifest_cache import ManifestCache
from gateway.live.waiters import InvocationReader
from gateway.parsing.headers import noted_header, single_header
from gateway.parsing.idempotency import HEADER, identify, read_idempotency_key
from gateway.parsing.preferences import read_preferences
from gateway.problems import ProblemError
from runtime.invocations.retry import prepare_retry


class OneRetry:
    """POST /invocations/{id}/retry."""

    def __init__(
        self,
        *,
        manifest_cache: ManifestCache,
        plans: CallPlans,
        invocation_reader: InvocationReader,
        invoker: Invoker,
    ) -> None:
        self._manifest_cache = manifest_cache
        self._plans = plans
        self._invocation_reader = invocation_reader
        self._invoker = invoker

    async def on_post(self, req: Request, resp: Response, invocation_id: str) -> None:
        """Invoke again, and wait for the result if the caller prefers that."""
        preferences = read_preferences(noted_header(req.scope, b"prefer"))
        key = read_idempotency_key(single_header(req.scope, HEADER))
        caller = caller_of(req.scope)
        record = await self._invocation_reader.fetch(invocation_id, owner=caller.sees_only)
        if caller.controls_only not in (None, record.caller) or not caller.may_retry(
            record.function
        ):
            raise lacks_scope("steer")
        if not record.is_finished:
            raise ProblemError(
                "invocation_unfinished",
                f"The invocation is {record.status.value}; only a finished one can be retried.",
            )
        idempotency = None
        if key is not None:
            idempotency = identify(
                key,
                function=record.function,
                caller=identity_of(req.scope),
                content=(b"retry", record.id.encode()),
            )
        admission = self._invoker.admission
        manifest = await self._manifest_cache.find(record.function)
        if manifest.options.verify is not None:
            require_key(req.scope, f"{manifest.name} verifies webhooks: have it sent again")
        submission = prepare_retry(
            manifest,
            record,
            waiter=self._invoker.waiter(preferences),
            max_waiting=admission.max_waiting,
            idempotency=idempotency,
            trace=trace_of(req.scope),
            pace=admission.pace(req.scope),
            api_key=caller.key_id,
        )
        plan = self._plans.of(self._manifest_cache.manifests, manifest)
        await self._invoker.answer(req, resp, plan, submission, preferences)
