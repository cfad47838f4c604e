"""The chart of a run: an SVG of bars, drawn here, readable on light and on dark pages.

One panel a work, one bar a system; the bar is the median, the thin line from the least to
the greatest round. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tests.bench.results import Results, Spread
from tests.bench.systems import SYSTEMS, SystemPlan
from tests.bench.verdicts import tell_number
from tests.bench.works import WORKS, Work

_COLUMNS = 2
_PANEL_WIDTH = 525
_GAP = 28
_MARGIN = 16
_ROW = 22
_HEAD = 44
_LABEL_WIDTH = 215
_FIGURE_WIDTH = 76
_STYLE = """
  .page { fill: #ffffff } .text { fill: #1f2328 } .quiet { fill: #59636e }
  .penstock { fill: #0b7a75 } .peer { fill: #8c959f } .echo { fill: #c8cfd6 }
  .whisker { stroke: #1f2328; stroke-width: 1 }
  text { font: 12px system-ui, sans-serif } .title { font-size: 14px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .text { fill: #e6edf3 } .quiet { fill: #9198a1 }
    .penstock { fill: #2fb5ad } .peer { fill: #6e7681 } .echo { fill: #3d444d }
    .whisker { stroke: #e6edf3 }
  }
"""


def draw_chart(results: Results) -> str:
    """Return the chart as SVG."""
    works = [work for work in WORKS if work.name in results.works()]
    # The call that shows a key first; what else one may show is in the table.
    works = [w for w in works if w.name.endswith("-keyed")] + [w for w in works if not w.shown]
    panels = [(work, _rows(results, work)) for work in works]
    body, top = [], _MARGIN
    for first in range(0, len(panels), _COLUMNS):
        line = panels[first : first + _COLUMNS]
        for column, (work, rows) in enumerate(line):
            left = _MARGIN + column * (_PANEL_WIDTH + _GAP)
            body.append(_panel(work, rows, left, top))
        top += _HEAD + max(len(rows) for _, rows in line) * _ROW + _GAP
    width = 2 * _MARGIN + _COLUMNS * _PANEL_WIDTH + (_COLUMNS - 1) * _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" role="img" '
        f'width="{width}" height="{top}">\n'
        f"<title>Penstock beside its peers</title>\n<style>{_STYLE}</style>\n"
        f'<rect class="page" width="{width}" height="{top}"/>\n' + "".join(body) + "</svg>\n"
    )


def _rows(results: Results, work: Work) -> list[tuple[SystemPlan, Spread]]:
    """Return the systems that did the work, the best first."""
    found = [(plan, results.figure(plan.name, work.name)) for plan in SYSTEMS]
    rows = [(plan, figure) for plan, figure in found if figure is not None]
    return sorted(rows, key=lambda row: row[1].middle, reverse=work.is_rate)


def _panel(work: Work, rows: Sequence[tuple[SystemPlan, Spread]], left: float, top: float) -> str:
    most = max((figure.high for _, figure in rows), default=0.0) or 1.0
    room = _PANEL_WIDTH - _LABEL_WIDTH - _FIGURE_WIDTH
    better = "more is better" if work.is_rate else "less is better"
    parts = [
        f'<text class="text title" x="{left}" y="{top + 14}">{escape(work.title)}</text>\n',
        f'<text class="quiet" x="{left}" y="{top + 32}">{escape(work.unit)}; {better}</text>\n',
    ]
    for number, (plan, figure) in enumerate(rows):
        y = top + _HEAD + number * _ROW
        start = left + _LABEL_WIDTH
        length, low, high = (
            room * value / most for value in (figure.middle, figure.low, figure.high)
        )
        middle = y + _ROW / 2 - 2
        parts.append(
            f'<text class="text" x="{start - 8}" y="{middle + 4}" text-anchor="end">'
            f"{escape(plan.title)}</text>\n"
            f'<rect class="{plan.kind}" x="{start}" y="{y}" width="{max(1, length):.1f}" '
            f'height="{_ROW - 5}" rx="2"/>\n'
        )
        if figure.low != figure.high:
            parts.append(
                f'<line class="whisker" x1="{start + low:.1f}" x2="{start + high:.1f}" '
                f'y1="{middle}" y2="{middle}"/>\n'
            )
        parts.append(
            f'<text class="text" x="{start + max(length, high) + 6:.1f}" y="{middle + 4}">'
            f"{tell_number(figure.middle)}</text>\n"
        )
    return "".join(parts)
