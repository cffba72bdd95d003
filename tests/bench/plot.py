"""Curves as SVG: both axes logarithmic, to be read on a light page and on a dark one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

WIDTH, HEIGHT = 680, 400
LEFT, RIGHT, TOP, BOTTOM = 80, 170, 50, 60
LABEL_HEIGHT = 16

COLOURS = (
    ("#0067a5", "#5ab4f0"),
    ("#c24a00", "#ff9450"),
    ("#00795a", "#35cfa0"),
    ("#a3427f", "#ea9fd0"),
    ("#806000", "#e6c040"),
    ("#5a4fcf", "#a8a0ff"),
)
"""Of the curves, on a light page and on a dark one."""

Points = Sequence[tuple[float, float]]


def style() -> str:
    """The colours of everything, as CSS."""
    light = "".join(f".s{i}{{stroke:{c[0]};fill:{c[0]}}}" for i, c in enumerate(COLOURS))
    dark = "".join(f".s{i}{{stroke:{c[1]};fill:{c[1]}}}" for i, c in enumerate(COLOURS))
    return (
        "text{font:13px system-ui,sans-serif;fill:#333;stroke:none}.title{font-size:15px;font-weight:600}"
        ".grid{stroke:#ccc;stroke-width:1}.minor{stroke:#eee}.curve{fill:none!important;stroke-width:2}.page{fill:#fff}"
        f"{light}@media(prefers-color-scheme:dark){{.page{{fill:#111}}text{{fill:#ddd}}.grid{{stroke:#444}}"
        f".minor{{stroke:#262626}}{dark}}}"
    )


class Axis:
    """A logarithmic scale over some values, from `begin` to `end` in pixels."""

    def __init__(self, values: Sequence[float], begin: float, end: float) -> None:
        low, high = math.log10(min(values)), math.log10(max(values))
        room = max(0.05 * (high - low), 0.1)
        self._low, self._high = low - room, high + room
        self._begin, self._end = begin, end

    def at(self, value: float) -> float:
        """Where a value is."""
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return self._begin + share * (self._end - self._begin)

    def ticks(self) -> Iterator[tuple[float, bool]]:
        """The values with a line, and whether they are named: powers of ten; others where there are too few of them."""
        decades = self._high - self._low
        for power in range(math.floor(self._low), math.ceil(self._high) + 1):
            for factor in (1, 2, 5):
                value = factor * 10.0**power
                if self._low <= math.log10(value) <= self._high:
                    yield value, factor == 1 or decades < 2.5


def number(value: float) -> str:
    """A value as people read it: 0.5, 20, 3k, 4M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if letter == 'k' else size):g}{letter}"
    return f"{value:g}"


def spread_out(wanted: Sequence[float]) -> list[float]:
    """Heights for labels that want to be at these, without two on top of each other."""
    placed: dict[int, float] = {}
    last = -math.inf
    for index in sorted(range(len(wanted)), key=lambda index: wanted[index]):
        last = placed[index] = max(wanted[index], last + LABEL_HEIGHT)
    over = max(0.0, last - (HEIGHT - BOTTOM))
    return [placed[index] - over for index in range(len(wanted))]


def curves(title: str, x_label: str, y_label: str, series: Mapping[str, Points]) -> str:
    """An SVG of these curves; each value is a dot, which tells it to who points at it.

    Raises:
        ValueError: there are no values, or some are not above 0.
    """
    points = [point for curve in series.values() for point in curve]
    if not points or min(map(min, points)) <= 0:
        raise ValueError(f"{title}: nothing to draw, or not on a logarithmic scale")
    x = Axis([point[0] for point in points], LEFT, WIDTH - RIGHT)
    y = Axis([point[1] for point in points], HEIGHT - BOTTOM, TOP)
    across, down = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label={quoteattr(title)}'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}>',
        f"<title>{escape(title)}</title><style>{style()}</style>",
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="26">{escape(title)}</text>',
        *_grid(x, y),
        f'<text x="{across}" y="{HEIGHT - 14}" text-anchor="middle">{escape(x_label)}</text>',
        f'<text transform="translate(20 {down}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>',
    ]
    labels = spread_out([y.at(curve[-1][1]) for curve in series.values()])
    for index, ((name, curve), label) in enumerate(zip(series.items(), labels, strict=True)):
        colour = f"s{index % len(COLOURS)}"
        line = " ".join(f"{x.at(a):.1f},{y.at(b):.1f}" for a, b in curve)
        parts.append(f'<polyline class="curve {colour}" points="{line}"/>')
        parts += [
            f'<circle class="{colour}" cx="{x.at(a):.1f}" cy="{y.at(b):.1f}" r="4">'
            f"<title>{escape(name)}: {b:g} at {a:g}</title></circle>"
            for a, b in curve
        ]
        parts.append(f'<rect class="{colour}" x="{WIDTH - RIGHT + 12}" y="{label - 5:.1f}" width="10" height="10"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 28}" y="{label + 5:.1f}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _grid(x: Axis, y: Axis) -> Iterator[str]:
    for value, named in x.ticks():
        at, kind = x.at(value), "grid" if named else "grid minor"
        yield f'<line class="{kind}" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        if named:
            yield f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{number(value)}</text>'
    for value, named in y.ticks():
        at, kind = y.at(value), "grid" if named else "grid minor"
        yield f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
        if named:
            yield f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{number(value)}</text>'
