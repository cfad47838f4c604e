"""Signatures by the senders' own code: right ones are accepted, and nothing else is."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.problems import ProblemError
from gateway.webhooks.schemes import scheme_of
from gateway.webhooks.signatures import CHALLENGE, Delivery, is_signed, verify
from runtime.sdk.verification import parse_verification
from tests.support.signers import SECRET, SENDERS, STANDARD_SECRET, Sender

NOW_S = 1_790_000_000
LONGEST_S = 0.02
BODY = json.dumps({"id": "evt_1", "event_id": "Ev1", "text": "Ünïcode"}).encode()
IDS = {
    "standard": "msg_1",
    "github": "72d3162e",
    "stripe": "evt_1",
    "slack": "Ev1",
    "shop": "e-1",
    "bill": None,
}
OTHER = "whsec_b3RoZXIgc2VjcmV0IG9mIGFub3RoZXI="
every_sender = pytest.mark.parametrize("name", sorted(SENDERS))
timed = pytest.mark.parametrize("name", [n for n, s in SENDERS.items() if s.is_timed])


def received(
    sender: Sender,
    headers: dict[str, str],
    body: bytes = BODY,
    *,
    now_s: float = NOW_S,
    secrets: tuple[str, ...] | None = None,
) -> Delivery:
    scheme = scheme_of(parse_verification(sender.verify))
    noted = {name.lower().encode(): text.encode("latin-1") for name, text in headers.items()}
    keys = [scheme.key_of(secret) for secret in secrets or (sender.secret,)]
    return verify(scheme, noted, body, keys, round(now_s * 1000))


def refusal(sender: Sender, headers: dict[str, str], body: bytes = BODY, **how) -> str:
    with pytest.raises(ProblemError) as refused:
        received(sender, headers, body, **how)

    assert (refused.value.code, refused.value.status) == ("signature_invalid", 401)
    assert refused.value.headers == CHALLENGE
    assert sender.secret not in refused.value.detail
    return refused.value.detail


@every_sender
def test_what_the_sender_signs_is_accepted_with_its_id(name: str):
    sender = SENDERS[name]

    assert received(sender, sender.sign(BODY, NOW_S, sender.secret)) == Delivery(IDS[name])


@every_sender
@pytest.mark.parametrize("body", [b"", b"payload=%7B%7D", b"\xef\xbb\xbf{}", b'[{"id": 1}]', b"{"])
def test_any_body_can_be_signed(name: str, body: bytes):
    sender = SENDERS[name]

    delivery = received(sender, sender.sign(body, NOW_S, sender.secret), body)

    assert delivery.challenge is None
    assert delivery.sender_id == (IDS[name] if sender.id_header else None)


@every_sender
@pytest.mark.parametrize("body", [BODY + b" ", BODY[:-1], BODY.replace(b"1", b"2", 1), b""])
def test_a_body_that_was_changed_is_refused(name: str, body: bytes):
    sender = SENDERS[name]

    assert "No signature" in refusal(sender, sender.sign(BODY, NOW_S, sender.secret), body)


@every_sender
def test_while_a_secret_is_replaced_both_are_accepted(name: str):
    sender = SENDERS[name]
    both = (OTHER, sender.secret)

    for secret in both:
        assert received(sender, sender.sign(BODY, NOW_S, secret), secrets=both)
    assert "No signature" in refusal(
        sender, sender.sign(BODY, NOW_S, OTHER), secrets=(sender.secret,)
    )


@timed
@pytest.mark.parametrize("away_s", [-300, 300])
def test_five_minutes_either_way_are_fresh(name: str, away_s: int):
    sender = SENDERS[name]

    assert received(sender, sender.sign(BODY, NOW_S + away_s, sender.secret))


@timed
@pytest.mark.parametrize(("away_s", "how"), [(-301, "301 s ago"), (301, "301 s in the future")])
def test_a_second_more_is_stale(name: str, away_s: int, how: str):
    sender = SENDERS[name]

    detail = refusal(sender, sender.sign(BODY, NOW_S + away_s, sender.secret))

    assert "stale" in detail
    assert how in detail


@timed
def test_the_time_is_signed_too(name: str):
    sender = SENDERS[name]
    old, new = str(NOW_S - 1000), str(NOW_S)
    headers = sender.sign(BODY, NOW_S - 1000, sender.secret)
    fresh = {field: text.replace(old, new) for field, text in headers.items()}

    assert "No signature" in refusal(sender, fresh)


def test_the_id_of_the_standard_is_signed_too():
    sender = SENDERS["standard"]
    headers = sender.sign(BODY, NOW_S, sender.secret)

    assert "No signature" in refusal(sender, {**headers, "webhook-id": "msg_2"})
    assert "Webhook-Id is missing" in refusal(sender, {**headers, "webhook-id": ""})


@pytest.mark.parametrize("name", ["standard", "stripe"])
def test_every_listed_signature_is_tried(name: str):
    sender = SENDERS[name]
    right, wrong = (sender.sign(BODY, NOW_S, secret) for secret in (sender.secret, OTHER))
    header = "webhook-signature" if name == "standard" else "Stripe-Signature"
    if name == "standard":
        listed = f"v1a,bm8= {wrong[header]} {right[header]}"
    else:
        listed = f"{wrong[header]},v0=ff,{right[header].partition(',')[2]}"

    assert received(sender, {**right, header: listed})
    assert refusal(sender, {**right, header: listed.replace(right[header][-20:], "A" * 20)})


MALFORMED = [
    ("standard", "webhook-signature", ""),
    ("standard", "webhook-signature", "v1"),
    ("standard", "webhook-signature", "v1,"),
    ("standard", "webhook-signature", "v1,no base64"),
    ("standard", "webhook-signature", "v1,bm8="),
    ("standard", "webhook-signature", "v1a,bm8="),
    ("standard", "webhook-timestamp", ""),
    ("standard", "webhook-timestamp", "now"),
    ("standard", "webhook-timestamp", "-1790000000"),
    ("standard", "webhook-timestamp", "1790000000.5"),
    ("standard", "webhook-timestamp", "1" * 500),
    ("standard", "webhook-timestamp", "\xb2"),
    ("github", "X-Hub-Signature-256", ""),
    ("github", "X-Hub-Signature-256", "sha256="),
    ("github", "X-Hub-Signature-256", "sha1=" + "a" * 40),
    ("github", "X-Hub-Signature-256", "sha256=" + "g" * 64),
    ("github", "X-Hub-Signature-256", "sha256=" + "a" * 63),
    ("github", "X-Hub-Signature-256", f"sha256={'a' * 64},sha256={'b' * 64}"),
    ("stripe", "Stripe-Signature", ""),
    ("stripe", "Stripe-Signature", "v1=" + "a" * 64),
    ("stripe", "Stripe-Signature", f"t={NOW_S}"),
    ("stripe", "Stripe-Signature", f"t={NOW_S},t={NOW_S},v1=" + "a" * 64),
    ("stripe", "Stripe-Signature", "t=,v1=" + "a" * 64),
    ("slack", "X-Slack-Signature", "v1=" + "a" * 64),
    ("slack", "X-Slack-Request-Timestamp", "soon"),
    ("shop", "X-Shop-Signature", "a" * 64),
    ("bill", "X-Signature", "sha256=" + "a" * 64),
]


@pytest.mark.parametrize(("name", "header", "text"), MALFORMED)
def test_a_malformed_header_is_refused_by_its_name(name: str, header: str, text: str):
    sender = SENDERS[name]

    detail = refusal(sender, {**sender.sign(BODY, NOW_S, sender.secret), header: text})

    assert header.lower() in detail.lower()
    assert "No signature" not in detail


@timed
def test_a_time_that_is_left_out_is_malformed(name: str):
    sender = SENDERS[name]
    headers = sender.sign(BODY, NOW_S, sender.secret)
    kept = {field: text for field, text in headers.items() if "timestamp" not in field.lower()}
    if name == "stripe":
        kept = {"Stripe-Signature": headers["Stripe-Signature"].partition(",")[2]}

    assert "when" in refusal(sender, kept)


@every_sender
def test_without_the_header_a_request_is_not_signed(name: str):
    sender = SENDERS[name]
    scheme = scheme_of(parse_verification(sender.verify))

    assert not is_signed(scheme, {b"webhook-id": b"1", b"x-github-delivery": b"1"})
    assert is_signed(scheme, {scheme.header.lower().encode(): b""})


def test_slack_s_challenge_is_returned_and_nobody_else_s():
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a"}).encode()

    asked = {
        name: received(sender, sender.sign(body, NOW_S, sender.secret), body).challenge
        for name, sender in SENDERS.items()
    }

    assert asked == dict.fromkeys(SENDERS) | {"slack": "3eZbrw1a"}


@pytest.mark.parametrize(
    "content",
    [{"id": 7}, {"id": ""}, {"id": None}, {}, {"data": {"id": "x"}}, {"id": "\ud800"}],
)
def test_an_id_that_is_no_text_is_none(content: dict):
    body = json.dumps(content).encode()
    sender = SENDERS["stripe"]

    assert received(sender, sender.sign(body, NOW_S, sender.secret), body) == Delivery()


def test_a_challenge_that_is_no_text_of_unicode_is_none():
    body = json.dumps({"type": "url_verification", "challenge": "\ud800"}).encode()
    sender = SENDERS["slack"]

    assert received(sender, sender.sign(body, NOW_S, sender.secret), body) == Delivery()


@pytest.mark.parametrize("name", ["stripe", "slack"])
def test_the_id_in_a_megabyte_is_found_without_reading_the_rest(name: str):
    sender = SENDERS[name]
    objects = ",".join(['{"b":1}'] * 130_000)
    body = f'{{"id":"evt_1","event_id":"Ev1","all":[{objects}],"last":1}}'.encode()
    headers = sender.sign(body, NOW_S, sender.secret)

    took_s = []
    for _ in range(3):
        began_at = time.thread_time()
        assert received(sender, headers, body).sender_id == IDS[name]
        took_s.append(time.thread_time() - began_at)

    assert min(took_s) < LONGEST_S


def test_a_body_that_is_nested_too_deep_to_be_read_has_no_id():
    body = b'{"a":' * 200_000
    sender = SENDERS["stripe"]

    assert received(sender, sender.sign(body, NOW_S, sender.secret), body) == Delivery()


@pytest.mark.parametrize("secret", [STANDARD_SECRET, STANDARD_SECRET.removeprefix("whsec_")])
def test_a_secret_of_the_standard_is_base64_with_or_without_its_prefix(secret: str):
    sender = SENDERS["standard"]

    assert received(sender, sender.sign(BODY, NOW_S, STANDARD_SECRET), secrets=(secret,))


@given(
    name=st.sampled_from(sorted(SENDERS)),
    header=st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=120),
    body=st.binary(max_size=50),
)
def test_no_header_that_somebody_makes_up_is_accepted_or_crashes(name, header, body):
    sender = SENDERS[name]
    signed = sender.sign(b"{}", NOW_S, "whsec_Zm9yZ2VkIGZvcmdlZCBmb3JnZWQ=")
    scheme = scheme_of(parse_verification(sender.verify))
    name_of_signature = next(f for f in signed if f.lower() == scheme.header.lower())

    refusal(sender, {**signed, name_of_signature: header}, body)
    refusal(sender, {**dict.fromkeys(signed, header), name_of_signature: "v1=x"}, body)


@given(
    name=st.sampled_from(sorted(SENDERS)),
    place=st.integers(0, 10**6),
    bit=st.integers(0, 7),
    body=st.binary(min_size=1, max_size=200).filter(lambda b: b.isascii()),
)
def test_one_changed_bit_of_the_body_is_always_found(name, place, bit, body):
    sender = SENDERS[name]
    headers = sender.sign(body, NOW_S, sender.secret)
    changed = bytearray(body)
    changed[place % len(body)] ^= 1 << bit

    received(sender, headers, body)
    refusal(sender, headers, bytes(changed))


def test_the_secret_does_not_appear_in_a_key_s_error():
    scheme = scheme_of(parse_verification("standard:PAY"))

    with pytest.raises(ValueError, match="base64") as refused:
        scheme.key_of("whsec_?" + SECRET)

    assert SECRET not in str(refused.value)
