"""Settings: what is said where, and what is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.errors import OptionError, SettingsError
from runtime.sdk.option_parsing import parse_options
from runtime.settings import (
    are_set,
    read_environment,
    read_secrets,
    read_settings,
    unknown_variables,
)


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no `.env` of somebody else
    for name in ("PORT", "LOG_LEVEL", "QUEUES", "DATA"):
        monkeypatch.delenv(f"PENSTOCK_{name}", raising=False)


def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / ".env").write_text(
        "PENSTOCK_PORT=1\nPENSTOCK_LOG_LEVEL=error\nPENSTOCK_DATA='some where'\n", encoding="utf-8"
    )
    monkeypatch.setenv("PENSTOCK_PORT", "2")
    monkeypatch.setenv("penstock_log_level", "debug")

    settings = read_settings(port=3)

    assert read_settings().port == 2
    assert (settings.port, settings.log_level, settings.data) == (3, "debug", Path("some where"))
    assert are_set("port")
    assert not are_set("host", "redis")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("port", " 8080 ", 8080),
        ("drain_s", "0.5", 0.5),
        ("callback_allow_loopback", "Yes", True),
        ("callback_allow_loopback", "0", False),
        ("queues", " a, b,,", ("a", "b")),
        ("queues", "", ()),
        ("max_in_flight", "100000", 100_000),
        ("loop_stall_s", "0.25", 0.25),
        ("redis", "redis://:secret@host:1/2", "redis://:secret@host:1/2"),
    ],
)
def test_a_text_becomes_a_value_of_the_settings_type(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
):
    monkeypatch.setenv(f"PENSTOCK_{name.upper()}", text)

    found = getattr(read_settings(), name)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("PORT", "many", "takes a whole number at least 0 and at most 65535 (got 'many')"),
        ("PORT", "", "takes a whole number"),
        ("PORT", "70000", "at most 65535"),
        ("RUNNERS", "0", "at least 1"),
        ("MAX_IN_FLIGHT", "0", "takes a whole number at least 1 and at most 100000"),
        ("MAX_IN_FLIGHT", "100001", "at most 100000"),
        ("LOOP_STALL_S", "0", "takes a number more than 0"),
        ("BODY_TIMEOUT_S", "0", "takes a number more than 0"),
        ("DRAIN_S", "nan", "takes a number at least 0"),
        ("LOG_LEVEL", "loud", "takes debug, info, warning or error (got 'loud')"),
        ("CALLBACK_ALLOW_LOOPBACK", "perhaps", "takes true or false"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, sentence: str
):
    monkeypatch.setenv(f"PENSTOCK_{name}", text)

    with pytest.raises(SettingsError) as refusal:
        read_settings()

    assert str(refusal.value).startswith(f"PENSTOCK_{name}: ")
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(("lease", "beat"), [("10000", "3334"), ("500", "200"), ("2000", "2000")])
def test_a_lease_in_which_three_heartbeats_do_not_fit_is_refused(
    monkeypatch: pytest.MonkeyPatch, lease: str, beat: str
):
    monkeypatch.setenv("PENSTOCK_LEASE_MS", lease)
    monkeypatch.setenv("PENSTOCK_HEARTBEAT_MS", beat)

    with pytest.raises(SettingsError) as refused:
        read_settings()

    for word in ("PENSTOCK_LEASE_MS", "PENSTOCK_HEARTBEAT_MS", lease, beat):
        assert word in str(refused.value)


@pytest.mark.parametrize(("lease", "beat"), [("10000", "3333"), ("600", "200"), ("60000", "50")])
def test_a_lease_in_which_they_fit_is_taken(monkeypatch: pytest.MonkeyPatch, lease: str, beat: str):
    monkeypatch.setenv("PENSTOCK_LEASE_MS", lease)
    monkeypatch.setenv("PENSTOCK_HEARTBEAT_MS", beat)

    assert read_settings().lease_ms == int(lease)


SIZES = [
    *(("1048576", 1048576), ("10MB", 10_000_000), ("10 mb", 10_000_000), ("1MiB", 1048576)),
    *(("1.5KiB", 1536), ("2gib", 2 * 1024**3), ("512b", 512), (" 64KB ", 64_000)),
]


@pytest.mark.parametrize("name", ["max_body_bytes", "max_batch_bytes", "max_log_bytes"])
@pytest.mark.parametrize(("text", "size"), SIZES)
def test_a_size_may_have_a_unit(monkeypatch: pytest.MonkeyPatch, name: str, text: str, size: int):
    monkeypatch.setenv(f"PENSTOCK_{name.upper()}", text)

    assert getattr(read_settings(), name) == size


def test_units_are_those_of_functions_memory():
    for text, size in (("64MB", 64_000_000), ("64MiB", 64 * 1024**2), ("1gb", 10**9)):
        assert parse_options({"memory": text})[1].memory_bytes == size
        assert read_settings(max_body_bytes=text).max_body_bytes == size


@pytest.mark.parametrize("text", ["10XB", "MB", "-1MB", "1e6", "ten", "", "0", "10MB."])
def test_what_is_no_size_is_refused_with_what_is(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("PENSTOCK_MAX_BODY_BYTES", text)

    with pytest.raises(SettingsError, match="512KiB or 10MB, at least 1"):
        read_settings()


def test_a_misspelt_variable_is_told_with_the_closest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / ".env").write_text("PENSTOCK_REDDIS=x\n", encoding="utf-8")
    monkeypatch.setenv("PENSTOCK_MAX_BODY_BYTE", "1")
    monkeypatch.setenv("PENSTOCK_SHOP_TOKEN", "x")
    monkeypatch.setenv("PENSTOCK_FUNCTION_ENV", "PENSTOCK_SHOP_TOKEN")
    monkeypatch.setenv("PENSTOCK_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("PENSTOCK_PORT_8000_TCP_ADDR", "10.0.0.1")
    monkeypatch.setenv("PENSTOCK_QQQQQQQQQQQQ", "1")

    reported = unknown_variables(for_functions=read_settings().function_env)

    assert sorted(reported) == [
        (
            "PENSTOCK_MAX_BODY_BYTE is not a setting and is ignored; did you mean "
            "PENSTOCK_MAX_BODY_BYTES?"
        ),
        "PENSTOCK_QQQQQQQQQQQQ is not a setting and is ignored.",
        "PENSTOCK_REDDIS is not a setting and is ignored; did you mean PENSTOCK_REDIS?",
    ]


def test_secrets_of_webhooks_are_read_by_name_and_kept_from_other_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / ".env").write_text("PENSTOCK_SECRET_SHOP=from file\nPENSTOCK_SECRET_A=x\n")
    monkeypatch.setenv("PENSTOCK_SECRET_A", " new, old ,")
    monkeypatch.setenv("PENSTOCK_SECRET_EMPTY", " , ")
    monkeypatch.setenv("penstock_secret_lower", "y")
    monkeypatch.setenv("PENSTOCK_SECRET_1X", "z")
    monkeypatch.setenv("PENSTOCK_PORT", "1")

    assert read_secrets() == {
        "A": ("new", "old"),
        "SHOP": ("from file",),
        "EMPTY": (),
        "LOWER": ("y",),
    }
    assert [line.split()[0] for line in unknown_variables()] == ["PENSTOCK_SECRET_1X"]
    passed_on = [name for name in read_environment() if name.upper().startswith("PENSTOCK_")]
    assert passed_on == ["PENSTOCK_PORT"]
    assert read_environment(with_secrets=True)["PENSTOCK_SECRET_A"] == " new, old ,"


@pytest.mark.parametrize("name", ["A", "A_1", "A" * 64, "1A", "_A", "A" * 65])
def test_functions_and_settings_have_one_rule_for_the_names_of_secrets(
    monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setenv(f"PENSTOCK_SECRET_{name}", "x")

    try:
        is_declared = parse_options({"verify": f"github:{name}"})[1].verify is not None
    except OptionError:
        is_declared = False

    assert (name in read_secrets()) is is_declared
