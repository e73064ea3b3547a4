"""Draws bar charts as SVG. A library would be too much for six charts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from statistics import median

Panel = tuple[str, str, dict[str, float], "Sequence[str] | None"]

WIDTH, NAMES, BARS, ROW, HEAD, GAP = 520, 186, 250, 22, 44, 24
OURS, LIMIT, OTHERS = "#d9480f", "#495057", "#a5b4c4"


def svg(panels: Sequence[Panel], *, ours: str, limit: str) -> str:
    """Draws two panels per row. Each has a title, a unit, figures, and the names of those to show (None for all)."""
    drawn = []
    top = GAP
    for left, right in zip(panels[::2], panels[1::2], strict=True):
        pair = [_panel(each, ours, limit) for each in (left, right)]
        drawn += [
            f'<g transform="translate({GAP + at * (WIDTH + GAP)},{top})">{body}</g>'
            for at, (body, _) in enumerate(pair)
        ]
        top += max(height for _, height in pair) + GAP
    width = 2 * WIDTH + 3 * GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" viewBox="0 0 {width} {top}" '
        f'font-family="system-ui, Helvetica, Arial, sans-serif" font-size="13" fill="#212529">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(drawn)}</svg>\n'
    )


def _panel(panel: Panel, ours: str, limit: str) -> tuple[str, int]:
    """The SVG of a panel, and its height."""
    title, unit, figures, shown = panel
    figures = {name: value for name, value in figures.items() if shown is None or name in shown}
    parts = [f'<text y="16" font-size="15" font-weight="600">{escape(title)}</text>']
    parts.append(f'<text y="33" font-size="11" fill="#6c757d">{unit}; lower is better</text>')
    longest = _scale(list(figures.values()))
    for row, name in enumerate(sorted(figures, key=figures.__getitem__)):
        value, y = figures[name], HEAD + row * ROW
        is_ours = name.split()[0] == ours
        colour = OURS if is_ours else LIMIT if name == limit else OTHERS
        weight = "600" if is_ours else "400"
        length = max(1.0, min(value / longest, 1) * BARS)
        label = f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
        parts.append(
            f'<text x="{NAMES - 8}" y="{y + 14}" text-anchor="end" font-weight="{weight}">{escape(name)}</text>'
            f'<rect x="{NAMES}" y="{y + 3}" width="{length:.1f}" height="{ROW - 6}" fill="{colour}"/>'
            f'<text x="{NAMES + length + 6:.1f}" y="{y + 14}" font-weight="{weight}">{label}</text>'
        )
        if value > longest:  # a gap in the bar shows that the bar is not to scale
            x = NAMES + BARS * 0.8
            parts.append(f'<path d="M{x} {y + ROW}l6 -{ROW}h6l-6 {ROW}z" fill="white"/>')
    return "".join(parts), HEAD + len(figures) * ROW


def _scale(values: list[float]) -> float:
    """The value with the longest bar. Much larger values are cut off, so that the other bars remain distinguishable."""
    return min(max(values, default=1.0), 8 * median(values or [1.0]))
