# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.10,<4"]
# [tool.penstock]
# preload = ["matplotlib.figure", "matplotlib.backends.backend_svg"]
# ///
"""Draw a chart as SVG with matplotlib. The same arguments give the same bytes."""

from __future__ import annotations

import re
import warnings
from io import BytesIO
from typing import Annotated, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field

from penstock import Reject, function

MOST_POINTS = 2_000
MOST_TICKS = 20
LONGEST_TICK = 24
LEVEL_CHARACTERS = 80  # of all ticks: with more, they are turned, so that none covers another
BARS_WIDTH = 0.8
# What XML cannot hold, even escaped.
UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# Text stays text: a reader can search it, and their fonts have the letters that ours lack. A `$` in
# it is a dollar, and no formula.
mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "penstock", "text.parse_math": False})
warnings.filterwarnings("ignore", message="Glyph .* missing from")

Svg = Annotated[bytes, Field(json_schema_extra={"contentMediaType": "image/svg+xml"})]
Name = Annotated[str, Field(max_length=100)]
Value = Annotated[float, Field(ge=-1e100, le=1e100)]
Series = dict[Name, Annotated[list[Value | None], Field(min_length=1)]]


@function(timeout="30s")
def chart(
    series: Annotated[Series, Field(min_length=1, max_length=12)],
    labels: list[Name] | None = None,
    kind: Literal["line", "bar", "scatter"] = "line",
    title: Name = "",
) -> Svg:
    """Draw series of numbers as lines, bars or points.

    Args:
        series: The numbers of each series by its name, such as `{"sales": [3, 5, 4]}`. A null is a
            gap. All series are of one length. Together they have at most 2,000 numbers.
        labels: What stands below each number on the x axis; if not given, 1, 2, 3 and so on.
        kind: How the numbers are drawn.
        title: What stands above the chart.

    Returns:
        The chart as SVG.
    """
    length = _common_length(series, labels)
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    _draw(axes, series, kind)
    axes.set_title(_printable(title), wrap=True)
    axes.grid(visible=True, axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    _set_ticks(axes, labels or [str(number + 1) for number in range(length)])
    if len(series) > 1:
        figure.legend(loc="outside right upper")
    target = BytesIO()
    figure.savefig(target, format="svg", metadata={"Date": None})
    return target.getvalue()


def _common_length(series: Series, labels: list[Name] | None) -> int:
    """Return how many numbers each series has."""
    lengths = {name: len(values) for name, values in series.items()}
    first, length = next(iter(lengths.items()))
    for name, other in lengths.items():
        if other != length:
            raise Reject(f"series {name!r} has {other} numbers, but {first!r} has {length}")
    if labels is not None and len(labels) != length:
        raise Reject(f"there are {len(labels)} labels for {length} numbers")
    if length * len(series) > MOST_POINTS:
        raise Reject(f"there are {length * len(series)} numbers; the limit is {MOST_POINTS:,}")
    if all(value is None for values in series.values() for value in values):
        raise Reject("there is no number to draw")
    return length


def _draw(axes: Axes, series: Series, kind: str) -> None:
    width = BARS_WIDTH / len(series)
    for number, (name, values) in enumerate(series.items()):
        heights = [float("nan") if value is None else value for value in values]
        places = range(len(heights))
        label = _label(name)
        if kind == "line":
            axes.plot(places, heights, marker="o", markersize=3, label=label)
        elif kind == "scatter":
            axes.scatter(places, heights, s=16, label=label)
        else:
            left = width * (number + 0.5) - BARS_WIDTH / 2
            axes.bar([place + left for place in places], heights, width, label=label)


def _set_ticks(axes: Axes, labels: list[str]) -> None:
    """Write labels below the axis: all, or evenly chosen ones where there is no room for all."""
    step = -(-len(labels) // MOST_TICKS)
    shown = [_cut(_printable(label)) for label in labels[::step]]
    are_long = sum(map(len, shown)) > LEVEL_CHARACTERS
    turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if are_long else {}
    axes.set_xticks(range(0, len(labels), step), shown, **turned)


def _label(name: str) -> str:
    """Return a name for the legend, which leaves out what begins with `_`."""
    name = _cut(_printable(name))
    return f"\N{WORD JOINER}{name}" if name.startswith("_") else name


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TICK else text[: LONGEST_TICK - 1] + "…"


def _printable(text: str) -> str:
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
