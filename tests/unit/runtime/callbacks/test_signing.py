"""Signatures, with the `standardwebhooks` package as the oracle; secrets and their file."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from runtime.callbacks.signing import (
    Secret,
    generate_secret,
    load_or_create_secret,
    parse_secret,
    parse_secrets,
    sign,
)
from runtime.errors import SettingsError


@given(
    key=st.binary(min_size=24, max_size=64),
    webhook_id=st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True),
    timestamp_s=st.integers(0, 4_000_000_000),
    body=st.text(max_size=200),
)
def test_a_signature_is_what_the_oracle_says(key, webhook_id, timestamp_s, body):
    ours = sign([Secret(key)], webhook_id=webhook_id, timestamp_s=timestamp_s, body=body.encode())

    oracle = Webhook("whsec_" + base64.b64encode(key).decode())
    assert ours == oracle.sign(webhook_id, datetime.fromtimestamp(timestamp_s, UTC), body)


def test_each_secret_signs_once_in_order():
    secrets = parse_secrets([generate_secret(), generate_secret()])

    both = sign(secrets, webhook_id="m", timestamp_s=1, body=b"{}")

    apart = [sign([secret], webhook_id="m", timestamp_s=1, body=b"{}") for secret in secrets]
    assert both == " ".join(apart)


def test_a_generated_secret_is_whsec_and_32_bytes():
    text = generate_secret()

    assert text.startswith("whsec_")
    assert len(parse_secret(text).key) == 32


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "hunter2",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        "whsec_" + "!" * 40,
        base64.b64encode(b"x" * 32).decode(),
    ],
)
def test_a_wrong_secret_is_refused_without_being_repeated(text: str):
    with pytest.raises(SettingsError, match="PENSTOCK_CALLBACK_SECRET") as caught:
        parse_secret(text)

    assert not text.removeprefix("whsec_") or text not in str(caught.value)


def test_a_secret_is_not_shown():
    assert "key" not in repr(parse_secret(generate_secret()))


def test_a_secret_file_is_made_once_and_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "data" / "callback_secret"

    first, second = load_or_create_secret(path), load_or_create_secret(path)

    assert first == second
    assert parse_secret(first)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["callback_secret"]


def test_a_secret_file_that_cannot_be_made_is_a_settings_error(tmp_path):
    (tmp_path / "data").write_text("a file where a folder should be")

    with pytest.raises(SettingsError, match="PENSTOCK_CALLBACK_SECRET"):
        load_or_create_secret(tmp_path / "data" / "callback_secret")
