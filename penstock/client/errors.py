"""Every error that the client raises for what a system answers, or does not answer.

    PenstockError
    ├── UnreachableError              no answer came, for as long as requests are repeated
    ├── NotPenstockError              the answer is not one of a Penstock system
    ├── WaitTimeoutError              a TimeoutError: the invocation goes on
    └── ProblemError                  the answer is a problem; `code` says which
        ├── UnauthenticatedError      the key is missing or wrong
        ├── ForbiddenError            the key lacks a scope
        ├── NotFoundError
        │   └── FunctionNotFoundError
        ├── GoneError                 it is no longer kept
        ├── AlreadyFinishedError      it has finished, so it cannot be cancelled
        ├── RateLimitedError          too many calls, or a full queue: `retry_after_s`
        ├── UnavailableError          the system cannot serve now: `retry_after_s`
        └── InvocationError           the invocation did not succeed: `invocation`
            ├── ArgumentsInvalidError refused before or by the function: `errors`
            ├── RejectedError         the function raised Reject
            ├── FunctionFailedError   `error_type`, `exception_type`, `traceback`
            │   └── FunctionTimeoutError
            ├── InvocationCancelledError
            └── InvocationExpiredError

`ERRORS` says which class each code has. A code that is not in it is judged by its HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class PenstockError(Exception):
    """The root of the tree."""

    may_pass: ClassVar[bool] = False
    """Whether the same request may succeed a moment later, so that it is repeated."""


class UnreachableError(PenstockError):
    """No answer came; whether the last request arrived is unknown."""

    may_pass = True


class NotPenstockError(PenstockError):
    """The answer is not one that a Penstock system gives."""


class WaitTimeoutError(PenstockError, TimeoutError):
    """The timeout has passed; the invocation, or the batch, goes on.

    Attributes:
        id: Its id.
    """

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.id = id_

    def __str__(self) -> str:
        return f"{self.id} has not ended in time; it goes on"


class ProblemError(PenstockError):
    """The system answered with a problem (RFC 9457).

    Attributes:
        problem: The problem as sent.
        code: Its stable code; empty if something else than Penstock answered.
        status: The HTTP status.
        detail: What happened, for people.
        errors: What is wrong, each with a `pointer` and a `detail`.
        retry_after_s: When to try again, in seconds; 0 if the answer does not say.
    """

    def __init__(self, problem: Mapping[str, Any], retry_after_s: float = 0.0) -> None:
        super().__init__(problem, retry_after_s)
        self.problem = problem
        self.retry_after_s = retry_after_s
        self.code: str = problem.get("code", "")
        self.status: int = problem.get("status", 0)
        self.detail: str = problem.get("detail") or problem.get("title") or f"HTTP {self.status}"
        self.errors: list[dict[str, str]] = problem.get("errors") or []

    def __str__(self) -> str:
        return f"{self.detail} ({self.code or self.status})"


class UnauthenticatedError(ProblemError):
    """The request needs a valid API key."""


class ForbiddenError(ProblemError):
    """The API key does not have the required scope."""


class NotFoundError(ProblemError):
    """There is nothing with this name or id."""


class FunctionNotFoundError(NotFoundError):
    """No function with that name is published."""


class GoneError(ProblemError):
    """It was deleted after its retention time."""


class AlreadyFinishedError(ProblemError):
    """It has finished; nothing can be cancelled any more."""


class RateLimitedError(ProblemError):
    """There are too many calls for now; nothing was accepted."""

    may_pass = True


class UnavailableError(ProblemError):
    """The system cannot serve the request for now."""

    may_pass = True


class InvocationError(ProblemError):
    """An invocation did not succeed."""

    @property
    def invocation(self) -> dict[str, Any] | None:
        """The record of the invocation; None if the call was refused before there was one."""
        record: dict[str, Any] | None = self.problem.get("invocation")
        return record

    def _reported(self, name: str) -> str:
        return ((self.invocation or {}).get("error") or {}).get(name) or ""


class ArgumentsInvalidError(InvocationError):
    """The arguments do not fit the function; `errors` names each by a JSON pointer."""


class RejectedError(InvocationError):
    """The function rejected the call."""


class FunctionFailedError(InvocationError):
    """The function failed for good."""

    @property
    def error_type(self) -> str:
        """How it failed: `exception`, `timeout`, `out_of_memory`, `worker_lost` and others."""
        return self._reported("type")

    @property
    def exception_type(self) -> str:
        """The class of the exception that the function raised; empty if it raised none."""
        return self._reported("exception_type")

    @property
    def traceback(self) -> str:
        """The traceback of that exception."""
        return self._reported("traceback")


class FunctionTimeoutError(FunctionFailedError):
    """The function ran longer than its timeout and was stopped."""


class InvocationCancelledError(InvocationError):
    """The invocation was cancelled."""


class InvocationExpiredError(InvocationError):
    """The invocation did not start within its maximum age."""


def _all(kind: type[ProblemError], codes: str) -> dict[str, type[ProblemError]]:
    return dict.fromkeys(codes.split(), kind)


ERRORS: dict[str, type[ProblemError]] = {
    **_all(UnauthenticatedError, "unauthenticated signature_invalid"),
    **_all(ForbiddenError, "forbidden cross_site_refused"),
    **_all(FunctionNotFoundError, "function_not_found"),
    **_all(NotFoundError, "not_found invocation_not_found delivery_not_found batch_not_found"),
    **_all(NotFoundError, "schedule_not_found key_not_found queue_not_found worker_not_found"),
    **_all(NotFoundError, "environment_not_found check_not_found"),
    **_all(GoneError, "invocation_gone batch_gone"),
    **_all(AlreadyFinishedError, "invocation_finished batch_finished"),
    **_all(RateLimitedError, "rate_limited too_many_failures queue_full"),
    **_all(UnavailableError, "function_unavailable gateway_overloaded not_ready"),
    **_all(UnavailableError, "store_unavailable store_refused"),
    **_all(ArgumentsInvalidError, "arguments_invalid"),
    **_all(RejectedError, "rejected"),
    **_all(FunctionFailedError, "function_failed"),
    **_all(FunctionTimeoutError, "function_timeout"),
    **_all(InvocationCancelledError, "invocation_cancelled"),
    **_all(InvocationExpiredError, "invocation_expired"),
    # What no caller handles by itself: mistakes in the request, and routes the client does not use.
    **_all(ProblemError, "malformed_request invalid_json invalid_multipart method_not_allowed"),
    **_all(ProblemError, "request_timeout body_too_large target_too_long headers_too_large"),
    **_all(ProblemError, "unsupported_media_type misdirected_request parameter_invalid"),
    **_all(ProblemError, "callback_url_invalid schedule_invalid key_invalid batch_invalid"),
    **_all(ProblemError, "idempotency_key_reused invocation_unfinished environment_in_use"),
    **_all(ProblemError, "wait_exceeded"),
    **_all(ProblemError, "delivery_unfinished schedule_declared internal_error not_implemented"),
}
_BY_STATUS: dict[int, type[ProblemError]] = {
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    410: GoneError,
    429: RateLimitedError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}


def problem_error(problem: Mapping[str, Any], retry_after_s: float = 0.0) -> ProblemError:
    """Return the error of a problem."""
    code, status = problem.get("code", ""), problem.get("status", 0)
    kind = ERRORS.get(code) or _BY_STATUS.get(status, ProblemError)
    return kind(problem, retry_after_s)
