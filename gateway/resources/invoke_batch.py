"""POST /functions/{name}/batch: accept many calls of one function at once."""

from __future__ import annotations

from falcon.asgi import Request, Response
from msgspec.structs import replace

from gateway.auth.caller import caller_of, identity_of
from gateway.auth.webhook_callers import require_key
from gateway.invoke.accept_spans import accepting
from gateway.invoke.admission import Admission
from gateway.invoke.batch import new_batch_view, submit_batch
from gateway.invoke.call_headers import read_settled, read_varying
from gateway.invoke.event_log import log_batch
from gateway.live.manifest_cache import ManifestCache
from gateway.parsing.batch_body import read_items
from gateway.parsing.idempotency import identify, options_content
from gateway.parsing.json_body import require_no_coding
from gateway.problems import ProblemError
from gateway.resources.batches import known_batch
from gateway.resources.json_answer import answer_json
from gateway.serving.request_parser import BODY, HEADERS
from runtime.callbacks.address_cache import AddressCache
from runtime.invocations.batch import batch_view, read_batch
from runtime.invocations.submission import CallOptions, check_available, prepare
from runtime.media_types import media_type_of
from runtime.registry.manifest import Manifest
from runtime.store.async_connection import AsyncConnection
from runtime.store.submission_commands import Idempotency
from runtime.telemetry.tracing import Tracer


class InvokeBatch:
    """Accepts batches."""

    def __init__(
        self,
        *,
        store: AsyncConnection,
        manifest_cache: ManifestCache,
        admission: Admission,
        callbacks: AddressCache,
        longest_item_bytes: int,
        tracer: Tracer | None = None,
    ) -> None:
        self._store = store
        self._manifest_cache = manifest_cache
        self._admission = admission
        self._callbacks = callbacks
        self._longest_item_bytes = longest_item_bytes
        self._tracer = tracer

    async def on_post(self, req: Request, resp: Response, name: str) -> None:
        """Accept a batch, completely or not at all."""
        manifest = await self._manifest_cache.find(name)
        if manifest.options.verify is not None:
            require_key(req.scope, f"{name} verifies webhooks, which come one by one: call it so")
        check_available(manifest)
        if manifest.takes_request:
            raise ProblemError(
                "batch_invalid", f"{name} takes the HTTP request itself, so it takes no batches."
            )
        asked = read_settled(req.scope, req.query_string)
        own = read_varying(req.scope)
        call_options = asked.call_options
        url = call_options.callback
        if url is not None:
            kept = self._callbacks.recall(url) or await self._callbacks.check(url)
            call_options = replace(call_options, callback=kept)
        require_no_coding(req.scope[HEADERS])
        items = await read_items(
            manifest,
            req.content_type or "",
            req.scope[BODY],
            longest_item_bytes=self._longest_item_bytes,
        )
        key = own.get("idempotency")
        caller = caller_of(req.scope)
        sample = prepare(
            manifest,
            b"{}",
            call_options=call_options,
            max_waiting=self._admission.max_waiting,
            pace=self._admission.pace(req.scope),
            caller=caller.name,
            api_key=caller.key_id,
            idempotency=key and _idempotency(req, manifest, call_options, key),
            trace=own.get("trace"),
        )
        with accepting(self._tracer, sample) as traced:
            admitted, received = await submit_batch(self._store, traced, items)
        resp.set_headers(self._admission.headers(admitted, sample.pace))
        refusal = self._admission.refusal(received, name, sample.pace)
        if refusal is not None:
            raise refusal
        if received.reception == "REPLAYED":
            resp.set_header("Idempotency-Replayed", "true")
            batch = known_batch(await self._store.run(read_batch(received.id)), received.id)
        else:
            batch = new_batch_view(sample, len(items), received.created_at_ms)
            log_batch(batch.id, name, len(items))
        resp.set_header("Location", f"/batches/{batch.id}")
        resp.set_header("Retry-After", "1")
        answer_json(resp, batch_view(batch), 202)


def _idempotency(
    req: Request, manifest: Manifest, call_options: CallOptions, key: str
) -> Idempotency:
    media_type = media_type_of(req.content_type).encode()
    return identify(
        key,
        function=manifest.name,
        caller=identity_of(req.scope),
        content=(b"batch", media_type, req.scope[BODY], options_content(call_options)),
    )
