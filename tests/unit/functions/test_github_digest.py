"""Every event becomes a line; that its signature is right is checked by the gateway."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from functions.github_digest import DESCRIBE, github_digest
from penstock import Reject, Request

REPOSITORY = {"full_name": "octo/repo", "name": "repo"}
SENDER = {"login": "octocat"}


def delivery(
    event: str | None,
    payload: Any,
    *,
    body: bytes | None = None,
    content_type: str = "application/json",
    **headers: str,
) -> Request:
    body = json.dumps(payload).encode() if body is None else body
    shown = {"content-type": content_type} | {k.replace("_", "-"): v for k, v in headers.items()}
    if event is not None:
        shown["x-github-event"] = event
    return Request(
        method="POST", path="/functions/github_digest", headers=shown, query={}, body=body
    )


def digest(event: str, **payload: Any) -> str:
    return github_digest(delivery(event, {"repository": REPOSITORY, "sender": SENDER} | payload))


@pytest.mark.parametrize(
    ("event", "payload", "line"),
    [
        (
            "issues",
            {"action": "opened", "issue": {"number": 3, "title": "It breaks"}},
            "octocat opened issue #3 in octo/repo: It breaks",
        ),
        (
            "pull_request",
            {"action": "closed", "pull_request": {"number": 4, "title": "Fix", "merged": True}},
            "octocat merged pull request #4 in octo/repo: Fix",
        ),
        (
            "pull_request",
            {"action": "closed", "pull_request": {"number": 4, "title": "Fix", "merged": False}},
            "octocat closed pull request #4 in octo/repo: Fix",
        ),
        (
            "pull_request",
            {"action": "synchronize", "pull_request": {"number": 4, "title": "Fix"}},
            "octocat updated pull request #4 in octo/repo: Fix",
        ),
        (
            "issue_comment",
            {"action": "created", "issue": {"number": 3, "title": "T", "pull_request": {}}},
            "octocat commented on pull request #3 in octo/repo: T",
        ),
        (
            "push",
            {
                "ref": "refs/heads/feature/x",
                "commits": [{}, {}],
                "head_commit": {"message": "Add x\n\nbecause"},
            },
            "octocat pushed 2 commits to branch feature/x in octo/repo: Add x",
        ),
        (
            "push",
            {"ref": "refs/heads/main", "commits": [{}], "forced": True},
            "octocat force-pushed 1 commit to branch main in octo/repo",
        ),
        (
            "push",
            {"ref": "refs/tags/v1", "commits": [], "deleted": True, "head_commit": None},
            "octocat deleted tag v1 in octo/repo",
        ),
        (
            "push",
            {"ref": "refs/tags/v1", "commits": [], "created": True},
            "octocat created tag v1 in octo/repo",
        ),
        (
            "release",
            {"action": "published", "release": {"tag_name": "v1", "name": "First"}},
            "octocat published release v1 in octo/repo: First",
        ),
        ("star", {"action": "created"}, "octocat starred octo/repo"),
        ("star", {"action": "deleted"}, "octocat unstarred octo/repo"),
        (
            "check_run",
            {"action": "completed", "check_run": {"name": "lint", "conclusion": "timed_out"}},
            "check lint completed (timed out) in octo/repo",
        ),
        (
            "workflow_run",
            {
                "action": "in_progress",
                "workflow_run": {"name": "CI", "run_number": 7, "head_branch": "main"},
            },
            "workflow CI #7 in progress in octo/repo on main",
        ),
        (
            "ping",
            {"zen": "Keep it logically awesome.", "hook_id": 9},
            "GitHub pinged webhook 9 of octo/repo: Keep it logically awesome.",
        ),
        ("deployment_status", {}, "octocat caused deployment status in octo/repo"),
        ("label", {"action": "edited"}, "octocat caused label (edited) in octo/repo"),
    ],
)
def test_an_event_becomes_one_readable_line(event: str, payload: dict[str, Any], line: str) -> None:
    assert digest(event, **payload) == line


@pytest.mark.parametrize(
    "event",
    [*DESCRIBE, "unheard_of"],
)
@pytest.mark.parametrize("odd", [{}, {"issue": 3, "release": [], "ref": None, "sender": "x"}])
def test_a_payload_without_the_usual_members_still_gives_a_line(
    event: str, odd: dict[str, Any]
) -> None:
    assert github_digest(delivery(event, odd))


def test_a_title_stays_on_one_line_and_short() -> None:
    line = digest("issues", action="opened", issue={"number": 1, "title": "a\nb\x1b[31m" * 99})

    assert len(line) < 260
    assert line.isprintable()


def test_a_form_delivery_is_read_like_a_json_one() -> None:
    payload = {"action": "created", "repository": REPOSITORY, "sender": SENDER}
    body = urlencode({"payload": json.dumps(payload)}).encode()

    line = github_digest(
        delivery("star", None, body=body, content_type="application/x-www-form-urlencoded")
    )

    assert line == "octocat starred octo/repo"


def test_a_request_without_an_event_is_rejected() -> None:
    with pytest.raises(Reject, match="X-GitHub-Event is missing"):
        github_digest(delivery(None, {}))


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"[" * 100_000, b"nonsense"])
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_that_is_no_payload_is_rejected(body: bytes, content_type: str) -> None:
    with pytest.raises(Reject, match="not a GitHub payload"):
        github_digest(delivery("push", None, body=body, content_type=content_type))
