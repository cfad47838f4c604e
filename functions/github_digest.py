"""Receive GitHub's webhooks and describe each event in one line.

Set `/functions/github_digest` as the URL of a repository's webhook, and give its secret to the
gateway as PENSTOCK_SECRET_GITHUB: the gateway accepts only what GitHub has signed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from penstock import Reject, Request, function

LONGEST_TITLE = 200
FORM = "application/x-www-form-urlencoded"
VERBS = {
    "synchronize": "updated",
    "review_requested": "asked for a review of",
    "review_request_removed": "withdrew the review request of",
    "ready_for_review": "marked as ready",
    "converted_to_draft": "turned into a draft",
    "auto_merge_enabled": "enabled auto-merge of",
    "auto_merge_disabled": "disabled auto-merge of",
}

Payload = Mapping[str, Any]


@function(timeout="10s", verify="github:GITHUB")
def github_digest(request: Request) -> str:
    """Turn a GitHub webhook into one readable line.

    Use it as the payload URL of a webhook, with the content type JSON or form.

    Returns:
        The line, for example `octocat opened issue #3 in octo/repo: It breaks`.
    """
    event = request.headers.get("X-GitHub-Event", "")
    if not event:
        raise Reject("not a GitHub webhook: the header X-GitHub-Event is missing")
    payload = _read_payload(request.body, request.headers.get("Content-Type", ""))
    return _one_line(DESCRIBE.get(event, _describe_other)(payload, event))


def _read_payload(body: bytes, content_type: str) -> Payload:
    """Return the payload of a delivery, sent as JSON or as a form."""
    try:
        text = body.decode()
        if content_type.partition(";")[0].strip().lower() == FORM:
            text = parse_qs(text, strict_parsing=True)["payload"][0]
        payload = json.loads(text)
    except (ValueError, KeyError, RecursionError) as error:
        raise Reject("the body is not a GitHub payload: no JSON could be read from it") from error
    if not isinstance(payload, dict):
        raise Reject("the body is not a GitHub payload: its JSON is not an object")
    return payload


def _at(payload: Payload, path: str, default: str = "") -> str:
    """Return the value at a dotted path as text, `default` if there is none."""
    value: Any = payload
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return str(value) if isinstance(value, str | int) and value != "" else default


def _one_line(text: str) -> str:
    """Return the text without line breaks or control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _sender(payload: Payload) -> str:
    return _at(payload, "sender.login") or _at(payload, "pusher.name", "somebody")


def _place(payload: Payload) -> str:
    owner = _at(payload, "organization.login") or _at(payload, "sender.login", "an account")
    return _at(payload, "repository.full_name", owner)


def _titled(line: str, title: str) -> str:
    """Return the line with the title after a colon, cut to a readable length."""
    short = title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"
    return f"{line}: {short}" if short else line


def _verb(payload: Payload, default: str) -> str:
    action = _at(payload, "action", default)
    return VERBS.get(action, action.replace("_", " "))


def _describe_push(payload: Payload, _event: str) -> str:
    kind, _, name = _at(payload, "ref").removeprefix("refs/").partition("/")
    ref = f"{'tag' if kind == 'tags' else 'branch'} {name}"
    who, where = _sender(payload), _place(payload)
    if payload.get("deleted"):
        return f"{who} deleted {ref} in {where}"
    commits = payload.get("commits")
    count = len(commits) if isinstance(commits, list) else 0
    title = _at(payload, "head_commit.message").partition("\n")[0]
    if kind == "tags" or (payload.get("created") and not count):
        return _titled(f"{who} created {ref} in {where}", title)
    how = "force-pushed" if payload.get("forced") else "pushed"
    amount = f"{count} commit{'' if count == 1 else 's'}"
    return _titled(f"{who} {how} {amount} to {ref} in {where}", title)


def _describe_pull_request(payload: Payload, _event: str) -> str:
    number = _at(payload, "pull_request.number") or _at(payload, "number", "?")
    pull_request = payload.get("pull_request")
    is_merged = isinstance(pull_request, Mapping) and pull_request.get("merged") is True
    verb = _verb(payload, "touched")
    if verb == "closed" and is_merged:
        verb = "merged"
    line = f"{_sender(payload)} {verb} pull request #{number} in {_place(payload)}"
    return _titled(line, _at(payload, "pull_request.title"))


def _describe_issue(payload: Payload, _event: str) -> str:
    number = _at(payload, "issue.number", "?")
    line = f"{_sender(payload)} {_verb(payload, 'touched')} issue #{number} in {_place(payload)}"
    return _titled(line, _at(payload, "issue.title"))


def _describe_comment(payload: Payload, _event: str) -> str:
    issue = payload.get("issue")
    is_pull_request = isinstance(issue, Mapping) and "pull_request" in issue
    thing = f"{'pull request' if is_pull_request else 'issue'} #{_at(payload, 'issue.number', '?')}"
    action = _at(payload, "action", "created")
    verb = "commented on" if action == "created" else f"{action} a comment on"
    line = f"{_sender(payload)} {verb} {thing} in {_place(payload)}"
    return _titled(line, _at(payload, "issue.title"))


def _describe_release(payload: Payload, _event: str) -> str:
    tag, name = _at(payload, "release.tag_name", "?"), _at(payload, "release.name")
    line = f"{_sender(payload)} {_verb(payload, 'touched')} release {tag} in {_place(payload)}"
    return _titled(line, name if name != tag else "")


def _describe_star(payload: Payload, _event: str) -> str:
    verb = "unstarred" if _at(payload, "action") == "deleted" else "starred"
    return f"{_sender(payload)} {verb} {_place(payload)}"


def _describe_check_run(payload: Payload, _event: str) -> str:
    name = _at(payload, "check_run.name", "?")
    return f"check {name} {_ended(payload, 'check_run')} in {_place(payload)}"


def _describe_workflow_run(payload: Payload, _event: str) -> str:
    name = _at(payload, "workflow_run.name") or _at(payload, "workflow.name", "?")
    number = _at(payload, "workflow_run.run_number", "?")
    branch = _at(payload, "workflow_run.head_branch")
    line = f"workflow {name} #{number} {_ended(payload, 'workflow_run')} in {_place(payload)}"
    return f"{line} on {branch}" if branch else line


def _ended(payload: Payload, thing: str) -> str:
    """Return the status of a check or workflow with its conclusion: `completed (success)`."""
    status = _at(payload, "action") or _at(payload, f"{thing}.status", "changed")
    conclusion = _at(payload, f"{thing}.conclusion")
    return f"{_words(status)} ({_words(conclusion)})" if conclusion else _words(status)


def _words(value: str) -> str:
    return value.replace("_", " ")


def _describe_ping(payload: Payload, _event: str) -> str:
    hook = _at(payload, "hook_id", "?")
    return _titled(f"GitHub pinged webhook {hook} of {_place(payload)}", _at(payload, "zen"))


def _describe_other(payload: Payload, event: str) -> str:
    action = _at(payload, "action")
    what = f"{_words(event)} ({_words(action)})" if action else _words(event)
    return f"{_sender(payload)} caused {what} in {_place(payload)}"


DESCRIBE: dict[str, Callable[[Payload, str], str]] = {
    "push": _describe_push,
    "pull_request": _describe_pull_request,
    "issues": _describe_issue,
    "issue_comment": _describe_comment,
    "release": _describe_release,
    "star": _describe_star,
    "check_run": _describe_check_run,
    "workflow_run": _describe_workflow_run,
    "ping": _describe_ping,
}
