"""Every option of @function: what it takes, and what a wrong one is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runtime.errors import OptionError
from runtime.sdk.option_parsing import OPTION_NAMES, is_function_name, parse_options
from runtime.sdk.options import Options, Rate, RetryPolicy
from runtime.sdk.verification import Verification


def parsed(**given):
    return parse_options(given)[1]


TAKEN = [
    ("timeout", "30s", "timeout_s", 30.0),
    ("timeout", 2, "timeout_s", 2.0),
    ("timeout", timedelta(seconds=90), "timeout_s", 90.0),
    ("grace", "2s", "grace_s", 2.0),
    ("grace", 0, "grace_s", 0.0),
    ("retries", 3, "retry", RetryPolicy(retries=3)),
    ("retries", RetryPolicy(retries=2, first_s=5), "retry", RetryPolicy(retries=2, first_s=5)),
    (
        "retries",
        {
            "retries": 4,
            "first": "2s",
            "factor": 3,
            "longest": "1m",
            "jitter": 0,
            "on": [OSError, "X"],
        },
        "retry",
        RetryPolicy(retries=4, first_s=2, factor=3, longest_s=60, jitter=0, on=("OSError", "X")),
    ),
    ("queue", "mail-1", "queue", "mail-1"),
    ("concurrency", 4, "concurrency", 4),
    ("concurrency", None, "concurrency", None),
    ("per_process", 1, "per_process", 1),
    ("per_process", 1000, "per_process", 1000),
    ("per_process", None, "per_process", None),
    ("rate", "100/m", "rate", Rate(count=100, per_s=60)),
    ("rate", "5/30s", "rate", Rate(count=5, per_s=30)),
    ("rate", "10 / s", "rate", Rate(count=10, per_s=1)),
    ("priority", 0, "priority", 0),
    ("priority", 9, "priority", 9),
    ("schedule", "*/5 * * * *", "schedule", "*/5 * * * *"),
    ("schedule", "30 0 9 * * mon-fri", "schedule", "30 0 9 * * mon-fri"),
    ("isolation", "thread", "isolation", "thread"),
    ("memory", "256MB", "memory_bytes", 256_000_000),
    ("memory", "1GiB", "memory_bytes", 1024**3),
    ("memory", 64 * 1024**2, "memory_bytes", 64 * 1024**2),
    ("max_age", "1h", "max_age_s", 3600.0),
    ("max_waiting", 1000, "max_waiting", 1000),
    ("result_ttl", "7d", "result_ttl_s", 604_800.0),
    ("methods", ["get", "POST"], "methods", ("GET", "POST")),
    ("methods", ("HEAD", "GET"), "methods", ("GET",)),
    ("cors", "*", "cors", ("*",)),
    ("cors", ["https://App.example:443", "https://app.example"], "cors", ("https://app.example",)),
    ("cors", {"http://b:81", "http://[::1]:80"}, "cors", ("http://[::1]", "http://b:81")),
    ("cors", ("http://localhost:443",), "cors", ("http://localhost:443",)),
    ("cors", "capacitor://localhost", "cors", ("capacitor://localhost",)),
    ("cors", [], "cors", ()),
    ("verify", None, "verify", None),
    ("verify", "github:REPO", "verify", Verification(scheme="github", secret="REPO")),
    ("verify", "standard:A_1", "verify", Verification(scheme="standard", secret="A_1")),
    (
        "verify",
        "hmac:SHOP header=X-Signature",
        "verify",
        Verification(scheme="hmac", secret="SHOP", header="X-Signature"),
    ),
    (
        "verify",
        " hmac:SHOP  id=X-Id encoding=base64 prefix=sha256= header=X-Signature ",
        "verify",
        Verification(
            scheme="hmac",
            secret="SHOP",
            header="X-Signature",
            prefix="sha256=",
            encoding="base64",
            id_header="X-Id",
        ),
    ),
]
REFUSED = [
    ("name", "Bad", "lower-case"),
    ("name", "a..b", "lower-case"),
    ("name", "a" * 129, "128"),
    ("name", 3, "lower-case"),
    ("timeout", 0, "from 1ms to 7d"),
    ("timeout", "soon", "150ms, 30s"),
    ("timeout", None, "150ms, 30s"),
    ("timeout", True, "150ms, 30s"),
    ("grace", "2h", "from 0s to 1h"),
    ("grace", -1, "150ms, 30s"),
    ("retries", -1, "0 to 100.*or a policy"),
    ("retries", True, "0 to 100"),
    ("retries", 1.5, "0 to 100"),
    ("retries", {"retrys": 1}, "did you mean 'retries'"),
    ("retries", {"first": "x"}, "first: takes a duration"),
    ("retries", {"jitter": 2}, "jitter: takes a number from 0 to 1"),
    ("retries", {"factor": float("nan")}, "factor: takes a number from 1 to 10"),
    ("retries", {"first": "2m", "longest": "1m"}, "longest"),
    ("retries", {"on": [3]}, "exception classes"),
    ("retries", RetryPolicy(retries=-1), "retries: takes a whole number"),
    ("queue", "Mail", "queue's name"),
    ("queue", "", "queue's name"),
    ("queue", "a b", "queue's name"),
    ("concurrency", 0, "1 to 10000"),
    ("concurrency", "4", "1 to 10000"),
    ("per_process", 0, "1 to 1000"),
    ("per_process", 1001, "1 to 1000"),
    ("per_process", "20", "1 to 1000"),
    ("per_process", True, "1 to 1000"),
    ("rate", "100", "100/m"),
    ("rate", "0/s", "100/m"),
    ("rate", 100, "100/m"),
    ("rate", "1/0s", "100/m"),
    ("priority", 10, "0 to 9"),
    ("priority", "high", "0 to 9"),
    ("schedule", "* * *", "five fields"),
    ("schedule", "61 * * * *", "minute field"),
    ("isolation", "docker", "'process' or 'thread'"),
    ("memory", "1KB", "from 32MiB"),
    ("memory", "lots", "256MB"),
    ("memory", True, "256MB"),
    ("max_age", 0, "from 1ms"),
    ("max_waiting", 0, "from 1 to"),
    ("result_ttl", "10ms", "from 1s"),
    ("methods", "GET", "a list of HTTP methods: GET, POST"),
    ("methods", [], "a list of HTTP methods"),
    ("methods", ["HEAD"], "HEAD comes with GET"),
    ("methods", ["FETCH"], "a list of HTTP methods"),
    ("methods", [3], "a list of HTTP methods"),
    ("cors", "app.example", "scheme, host and port"),
    ("cors", ["https://app.example/"], "not 'https://app.example/'"),
    ("cors", ["https://app.example/x"], "without a path"),
    ("cors", ["https://*.app.example"], "'\\*' alone for any origin"),
    ("cors", ["https://b\u00fccher.example"], "takes origins"),
    ("cors", ["https://user@app.example"], "takes origins"),
    ("cors", ["https://app.example:0"], "no valid port"),
    ("cors", ["https://app.example:65536"], "no valid port"),
    ("cors", ["https://app.example:"], "takes origins"),
    ("cors", ["null"], "takes origins"),
    ("cors", ["https://app.example\n"], "takes origins"),
    ("cors", ["*", "https://app.example"], "includes the others"),
    ("cors", [443], "not 443"),
    ("cors", None, "takes origins"),
    ("verify", 3, "takes a scheme and the name of a secret: 'github:REPO'"),
    ("verify", "", "'github:REPO'"),
    ("verify", "github", "'github:REPO'"),
    ("verify", "gitlab:REPO", "standard, github, stripe, slack, hmac, not 'gitlab'"),
    ("verify", "github:repo", "capital letters, digits and _"),
    ("verify", "github:", "capital letters, digits and _"),
    ("verify", "github:1A", "begins with a letter"),
    ("verify", "github:" + "A" * 65, "64 at most"),
    ("verify", "github:REPO header=X", "only hmac has"),
    ("verify", "hmac:SHOP", "needs the header.*header=X-Signature"),
    ("verify", "hmac:SHOP header", "header: takes a value"),
    ("verify", "hmac:SHOP header=", "header: takes a value"),
    ("verify", "hmac:SHOP headers=X", "did you mean 'header'.*Allowed: header, prefix"),
    ("verify", "hmac:SHOP header=X header=Y", "header: is given twice"),
    ("verify", "hmac:SHOP header=X_Y", "header: 'X_Y' cannot be"),
    ("verify", "hmac:SHOP header=Authorization", "none of authorization"),
    ("verify", "hmac:SHOP header=X id=Cookie", "id: 'Cookie' cannot be"),
    ("verify", "hmac:SHOP header=X prefix=é", "prefix: takes up to 32"),
    ("verify", "hmac:SHOP header=X encoding=HEX", "hex or base64, not 'HEX'"),
]


@pytest.mark.parametrize(("option", "value", "field", "expected"), TAKEN)
def test_an_option_is_read(option, value, field, expected):
    options = parsed(**{option: value})

    assert getattr(options, field) == expected


@pytest.mark.parametrize(("option", "value", "allowed"), REFUSED)
def test_a_wrong_option_says_what_was_given_and_what_is_allowed(option, value, allowed):
    with pytest.raises(OptionError, match=allowed) as caught:
        parse_options({option: value})

    assert str(caught.value).startswith(f"@function({option}=")
    assert repr(value) in str(caught.value)


def test_every_option_has_a_case_of_both_kinds():
    tried = {option for option, *_ in TAKEN} | {"name", "timezone"}

    assert tried == set(OPTION_NAMES)
    assert {option for option, *_ in REFUSED} | {"timezone"} == set(OPTION_NAMES)


def test_an_unknown_option_names_the_nearest_and_all():
    with pytest.raises(
        OptionError, match=r"no option 'timout'; did you mean 'timeout'\?.*result_ttl"
    ):
        parse_options({"timout": "3s"})


def test_nothing_given_means_the_defaults():
    assert parse_options({}) == (None, Options())


def test_the_name_is_not_an_option_of_the_manifest():
    assert parse_options({"name": "billing.invoice"}) == ("billing.invoice", Options())


def test_a_time_zone_goes_with_a_schedule():
    options = parsed(schedule="0 9 * * *", timezone="Europe/Berlin")

    assert (options.schedule, options.timezone) == ("0 9 * * *", "Europe/Berlin")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", 3])
def test_an_unknown_time_zone_is_refused(zone):
    with pytest.raises(OptionError, match="name of a time zone"):
        parsed(schedule="0 9 * * *", timezone=zone)


def test_a_time_zone_alone_is_refused():
    with pytest.raises(OptionError, match="needs schedule"):
        parsed(timezone="UTC")


def test_memory_limits_need_a_process():
    with pytest.raises(OptionError, match="only a process can have a memory limit"):
        parsed(memory="64MiB", isolation="thread")


def test_a_thread_runs_one_call_at_a_time():
    with pytest.raises(OptionError, match=r"per_process=…\): .* one call at a time.*'process'"):
        parsed(per_process=2, isolation="thread")

    assert parsed(per_process=1, isolation="thread").per_process == 1
    assert parsed(per_process=None, isolation="thread").per_process is None


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("a", True),
        ("_a.b_1", True),
        ("a" * 128, True),
        ("a" * 129, False),
        ("A", False),
        ("1a", False),
        ("a.", False),
        ("a-b", False),
        ("ä", False),
        ("a\n", False),
        ("", False),
    ],
)
def test_names_follow_the_rule(name, verdict):
    assert is_function_name(name) is verdict


def test_a_grace_goes_with_a_process():
    with pytest.raises(OptionError, match=r"grace=…\): a thread is interrupted .* never killed"):
        parse_options({"grace": "2s", "isolation": "thread"})

    assert parsed(grace=0, isolation="thread").grace_s == 0
