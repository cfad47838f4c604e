"""The page of a run: goals, figures, machine and configurations, as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from string import Formatter

from tests.bench.results import Part, Results, Spread
from tests.bench.systems import SYSTEMS
from tests.bench.verdicts import Verdict, tell_number, tell_spread
from tests.bench.works import BY_NAME as WORK_BY_NAME
from tests.bench.works import WORKS, Work

_HOLDS = {True: "yes", False: "**no**", None: "not measured"}
_ABOUT_CLIENT = (
    "Requests come from one process (`gateway/cli/load/client.py`): a thread, a selector, prepared "
    "requests, kept connections; connection N sends its own number and every answer must bring it "
    "back. Beside the bare echo it used {used} µs of processor time a request, so that it could "
    "send about {most} a second where it had a core to itself. Client, web process, workers and "
    "Redis share the machine's cores, for all systems alike."
)
_LINKS = "[How it is measured](README.md), and [all samples](results.json)."
_ABOUT_RATIOS = (
    "Ratios are taken within a round: their median, with the least and the greatest. The last "
    "column compares the processor time of a call instead of its speed: other load on the machine "
    "hardly touches it."
)
_QUIET_SHARE = 0.05
_ABOUT_NOISE = (
    "**That is a noisy machine**: believe the processor times and the direction, and run it again "
    "on a quiet one for the speeds."
)
_ABOUT_PROCESSOR = (
    "Of all processes of the system, Redis included, in microseconds: what other load on the "
    "machine hardly touches."
)
_ABOUT_PRODUCTION = (
    "Each call shows an API key; *traced* a `traceparent` as well, *idempotent* an "
    "`Idempotency-Key` that is another one in each request, *with options* `?priority=7`, *with "
    "callback* an `X-Callback-Url`, *all of it* all of these (a call that waits without the "
    "callback). *With charset* and *with 20 headers* show no key: a `Content-Type` with "
    "`charset=utf-8`, and the headers of a browser. Peers look the key up in Redis, keep trace and "
    "address with the call, and give the first answer again for an idempotency key."
)
_ABOUT_WAITING = (
    "Penstock runs these in its default size: two workers (one where the work says so) of eight "
    "runners; peers run 1,000 calls at once in each worker process, where threads wait 50. The "
    "1,000 callers begin over one second, evenly, and keep their connections; what all processes "
    "hold is read once, half-way, a page that several share divided among them. Drains begin with "
    "10,000 calls that wait, and are told from the first seen finished to the last. Threads ask a "
    "server on this machine that answers after 100 ms, by one `requests` session a process; the "
    "server is no part of any system. Celery is measured with 50 threads in each process and "
    "with 400, as many in all as Penstock may use."
)
_WAITING_COLUMNS: tuple[tuple[str, str, Part], ...] = (
    ("sleepers", "calls/s", "figure"),
    ("sleepers", "MB", "memory_mb"),
    ("sleepers", "µs of processor a call", "processor_us"),
    ("naps-100ms", "calls/s", "figure"),
    ("naps-100ms", "µs of processor a call", "processor_us"),
    ("slow-http", "calls/s", "figure"),
    ("slow-http", "µs of processor a call", "processor_us"),
)
_ABOUT_CROWD = (
    "With 1,000 connections it used {used} µs a request beside the same echo, so that 1,000 "
    "callers of a function that sleeps 1 s cost {share:.1%} of a core."
)
_ABOUT_SCALE = (
    "With {waiting:,.0f} waiting, accepting took {accept_p99_full_ms:.1f} ms at p99 over 32 "
    "connections, beside {accept_p99_empty_ms:.1f} ms on a system without, asked in turns."
)
_ABOUT_PACKAGES = (
    "Small is `humanize`, large `pandas`. One worker; what a row compares is done in turns. A cold "
    "call is one whose runner was killed before it, so that another is forked. `uv run --script` "
    "has the same block, its cache is warm and offline, so that no index is waited for. A build "
    "installs the same lock, with hashes, from the same cache, as nicely (`nice -n 10`): by hand "
    "with `--compile-bytecode` and files cloned, as Penstock's are; without both it takes "
    "{packages_build_bare_ms} ms, and with pandas {packages_build_large_bare_ms}. The fork server "
    "of an environment takes {packages_server_mib} MiB while it has no runner, with pandas "
    "preloaded {packages_preloaded_mib}. Processor times are of all processes."
)
_BESIDE_UV = "`uv run --script`"
_BESIDE_HAND = "`uv venv`, `uv pip sync`"
_PACKAGE_ROWS = (
    ("packages_warm", "a warm call in an own environment", "without a block"),
    ("packages_edit", "code edit, same block, until live", "without a block"),
    ("packages_cold", "a cold call, small", _BESIDE_UV),
    ("packages_import", "a cold call, large, imported by the call's runner", _BESIDE_UV),
    ("packages_preload", "a cold call, large, preloaded", _BESIDE_UV),
    ("packages_build", "build, small", _BESIDE_HAND),
    ("packages_build_large", "build, large", _BESIDE_HAND),
)


def write_page(
    results: Results,
    *,
    verdicts: Sequence[Verdict],
    own: Mapping[str, Spread],
    machine: Mapping[str, str],
    reported: str,
) -> str:
    """Return the page; `reported` says with what words the run was started."""
    return "\n".join(
        [
            "# Benchmark results",
            "",
            f"Written by `{reported}`. {_LINKS}",
            "",
            "![Medians and spread of every work on every system](chart.svg)",
            "",
            _about_others(results),
            "",
            *_production(results),
            *_waiting(results),
            "## Goals",
            "",
            _ABOUT_RATIOS,
            "",
            *_table(
                ("work", "goal", "measured", "holds", "processor time, theirs : ours"),
                [(v.work, v.goal, v.measured, _HOLDS[v.holds], v.processor) for v in verdicts],
            ),
            "",
            "## Figures",
            "",
            "Calls that show nothing: the median of all rounds, with the least and the greatest.",
            "",
            *_figures(results),
            "",
            "## Processor time for a call",
            "",
            _ABOUT_PROCESSOR,
            "",
            *_processor_times(results),
            *_errors(results),
            *_own_figures(own),
            "",
            *_packages(own),
            "## The machine",
            "",
            *_table(("what", "is"), list(machine.items())),
            "",
            _about_client(results),
            "",
            "## The systems",
            "",
            *_table(
                ("system", "configuration"),
                [(p.title, p.notes) for p in SYSTEMS if p.name in results.systems()],
            ),
            "",
        ]
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    return lines + [
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in r)} |" for r in rows
    ]


def _measured_works(results: Results) -> list[Work]:
    return [work for work in WORKS if work.name in results.works()]


def _plain_works(results: Results) -> list[Work]:
    return [
        work
        for work in _measured_works(results)
        if not work.shown and work.group in {"usual", "steady"}
    ]


def _production(results: Results) -> list[str]:
    """What a call of production costs: rows are what it shows, the one that shows a key first."""
    works = [work for work in _measured_works(results) if work.shown]
    works += [WORK_BY_NAME[name] for name in dict.fromkeys(work.plain for work in works)]
    works = [work for work in works if work.name in results.works()]
    plans = [p for p in SYSTEMS if any(results.figure(p.name, w.name) for w in works if w.shown)]
    if not plans:
        return []
    rows = [
        (
            f"{work.title}{'' if work.shown else ' (shows nothing)'}",
            *(_tell_figure(results, plan.name, work.name) for plan in plans),
        )
        for work in works
    ]
    return [
        "## A call of production",
        "",
        _ABOUT_PRODUCTION,
        "",
        *_table(("", *(f"{plan.title}, calls/s" for plan in plans)), rows),
        "",
    ]


def _waiting(results: Results) -> list[str]:
    """What functions that wait cost: on an event loop, and in threads."""
    columns = [column for column in _WAITING_COLUMNS if column[0] in results.works()]
    plans = [p for p in SYSTEMS if any(results.figure(p.name, c[0]) for c in columns)]
    if not plans:
        return []
    return [
        "## Functions that wait",
        "",
        _ABOUT_WAITING,
        "",
        *_table(
            ("", *(f"{WORK_BY_NAME[work].title}, {unit}" for work, unit, _ in columns)),
            [
                (
                    plan.title,
                    *(_tell_figure(results, plan.name, work, part) for work, _, part in columns),
                )
                for plan in plans
            ],
        ),
        "",
    ]


def _figures(results: Results) -> list[str]:
    works = _plain_works(results)
    rows = [
        (plan.title, *(_tell_figure(results, plan.name, work.name) for work in works))
        for plan in SYSTEMS
        if plan.name in results.systems()
    ]
    return _table(("", *(f"{work.title}, {work.unit}" for work in works)), rows)


def _tell_figure(results: Results, system: str, work: str, part: Part = "figure") -> str:
    figure = results.figure(system, work, part)
    if figure is None:
        return ""
    text = tell_number(figure.middle)
    if figure.low != figure.high:
        text += f" ({tell_number(figure.low)} to {tell_number(figure.high)})"
    if part == "figure" and (errors := results.errors(system, work)):
        text += f", **{errors} errors**"
    return text


def _processor_times(results: Results) -> list[str]:
    works = [work for work in _plain_works(results) if work.name not in {"lone", "steady"}]
    rows = []
    for plan in SYSTEMS:
        if plan.name in results.systems():
            times = [results.figure(plan.name, work.name, "processor_us") for work in works]
            rows.append((plan.title, *(f"{t.middle:,.0f}" if t else "" for t in times)))
    return _table(("", *(work.title for work in works)), rows)


def _errors(results: Results) -> list[str]:
    bad = [one for one in results.samples if one.errors]
    if not bad:
        return ["", "Every call of every run was answered, with the right result."]
    rows = [
        (one.system, one.work, str(one.round + 1), f"{one.errors:,}", f"`{_one_line(one.example)}`")
        for one in bad
    ]
    return [
        "",
        "## Errors",
        "",
        *_table(("system", "work", "round", "calls not answered right", "the first"), rows),
    ]


def _one_line(text: str) -> str:
    return " ".join(text.replace("`", "'").split())[:160]


def _own_figures(own: Mapping[str, Spread]) -> list[str]:
    if "accept_p99_full_ms" not in own:
        return []
    return [
        "",
        _ABOUT_SCALE.format(**{name: spread.middle for name, spread in own.items()}),
    ]


def _packages(own: Mapping[str, Spread]) -> list[str]:
    """What functions with packages of their own take, beside what else one could do."""
    rows = []
    for key, title, beside in _PACKAGE_ROWS:
        if f"{key}_ratio" in own:
            names = ("ms", "beside_ms", "ratio", "processor_ms", "beside_processor_ms")
            cells = [_tell_own(own, f"{key}_{name}") for name in names]
            rows.append((title, cells[0], beside, *cells[1:]))
    if not rows:
        return []
    named = [name for _, name, _, _ in Formatter().parse(_ABOUT_PACKAGES) if name]
    told = {name: _tell_own(own, name) or "(not measured)" for name in named}
    columns = ("", "ms", "beside", "ms", "ratio", "processor ms", "processor ms beside")
    return [
        "## Functions with packages",
        "",
        _ABOUT_PACKAGES.format(**told),
        "",
        *_table(columns, rows),
        "",
    ]


def _tell_own(own: Mapping[str, Spread], name: str) -> str:
    return tell_spread(own[name]) if name in own else ""


def _about_others(results: Results) -> str:
    shares = [one.others_share for one in results.samples]
    if not shares:
        return ""
    text = (
        f"Other processes used {median(shares):.0%} of the machine's processor time meanwhile "
        f"({min(shares):.0%} to {max(shares):.0%})."
    )
    return text if median(shares) < _QUIET_SHARE else f"{text} {_ABOUT_NOISE}"


def _about_client(results: Results) -> str:
    reported = []
    if echo := results.of("echo", "accept"):
        used_us = min(one.client_processor_us for one in echo)
        most = f"{1e6 / max(used_us, 1):,.0f}"
        reported.append(_ABOUT_CLIENT.format(used=f"{used_us:.0f}", most=most))
    if crowd := results.of("echo", "crowd"):
        used_us = min(one.client_processor_us for one in crowd)
        reported.append(_ABOUT_CROWD.format(used=f"{used_us:.0f}", share=used_us * 1000 / 1e6))
    return " ".join(reported)
