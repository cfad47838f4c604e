"""The request behind an invocation as its record shows it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.invocations.request_view import MASK, MOST_BODY_BYTES, request_view
from runtime.sdk.request import Request, encode_request


def view(**parts):
    return request_view(encode_request(Request(**parts)))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Authorization",
            "Proxy-Authorization",
            "Cookie",
            "X-Hub-Signature-256",
            "X-Gitlab-Token",
        ),
        *("Stripe-Signature", "webhook-signature", "X-Shopify-Hmac-Sha256", "X-Api-Key", "apikey"),
        *("X-Slack-Signature", "X-Auth", "X-Amz-Security-Token", "X-Client-Secret", "X-Session-Id"),
    ],
)
def test_headers_that_hold_secrets_are_masked(name):
    assert view(headers={name: "hush", "X-Plain": "seen"})["headers"] == {
        name: MASK,
        "X-Plain": "seen",
    }


@pytest.mark.parametrize("name", ["token", "access_token", "sig", "key", "api_key", "secret"])
def test_query_parameters_that_hold_secrets_are_masked(name):
    shown = view(query={name: ["hush", "hush too"], "page": "2"})["query"]

    assert shown == {name: [MASK, MASK], "page": "2"}


@pytest.mark.parametrize(
    "name",
    ["Content-Type", "X-Github-Event", "X-GitHub-Delivery", "Author", "monkey", "webhook-id"],
)
def test_other_headers_are_shown(name):
    assert view(headers={name: "seen"})["headers"] == {name: "seen"}


@given(body=st.binary(max_size=200))
def test_a_body_is_text_or_base64_and_nothing_of_it_is_lost(body):
    shown = view(body=body)

    assert shown["body_bytes"] == len(body)
    if shown["body_encoding"] == "text":
        assert shown["body"].encode() == body
    elif shown["body_encoding"] == "base64":
        assert base64.b64decode(shown["body"]) == body
    else:
        assert (shown["body"], body) == (None, b"")


def test_a_long_body_is_left_out_and_its_size_told():
    shown = view(body=b"x" * (MOST_BODY_BYTES + 1))

    assert (shown["body"], shown["body_omitted"]) == (None, True)
    assert shown["body_bytes"] == MOST_BODY_BYTES + 1
