"""The chart: requests a second on small answers, as bars that start at zero. SVG, readable on light and on dark."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from bench.proxy.cases import SMALL, Case
from bench.proxy.measure import DIRECT, Cell
from bench.proxy.proxies import GATEWAY

TITLE = "Requests a second through the proxy, 100-byte answers"
_NOTE = "one core for the proxy, one for client and platform; medians; longer is better"
_GROUPS = {
    Case("slb", SMALL, kept=True): "plain http, kept connections",
    Case("slb", SMALL, kept=False): "plain http, a new connection each",
    Case("tls", SMALL, kept=True): "https, kept connections",
    Case("tls", SMALL, kept=False): "https, a new connection each",
}
_WIDTH, _LEFT, _BAR_MAX = 720, 170, 450
_BAR, _STEP, _GROUP_GAP, _TOP = 16, 21, 34, 62

_STYLE = """\
text { font: 13px sans-serif; fill: #1f2328; } .title { font-size: 16px; font-weight: 600; }
.group { font-weight: 600; } .note { fill: #59636e; } .own { fill: #0969da; } .other { fill: #9aa4af; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .note { fill: #9198a1; } .own { fill: #4493f8; } .other { fill: #59636e; } }"""


def draw(cells: Sequence[Cell]) -> str:
    """The whole SVG file. A proxy that failed has no bar and says so."""
    shown = [cell for cell in cells if cell.case in _GROUPS and cell.name != DIRECT]
    scale = _BAR_MAX / max((cell.median.rate for cell in shown if cell.median), default=1.0)
    parts: list[str] = []
    y = _TOP
    for case, heading in _GROUPS.items():
        group = [cell for cell in shown if cell.case == case]
        if not group:
            continue
        parts.append(f'<text class="group" x="16" y="{y + 12}">{escape(heading)}</text>')
        y += _STEP + 2
        for cell in group:
            parts += _bar(cell, y, scale)
            y += _STEP
        y += _GROUP_GAP - _STEP
    frame = f'xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" viewBox="0 0 {_WIDTH} {y}"'
    head = [
        f'<svg {frame} role="img" aria-label="{escape(TITLE)}">',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="16" y="26">{escape(TITLE)}</text>',
        f'<text class="note" x="16" y="46">{escape(_NOTE)}</text>',
    ]
    return "\n".join([*head, *parts, "</svg>"]) + "\n"


def _bar(cell: Cell, y: int, scale: float) -> list[str]:
    label = f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(cell.name)}</text>'
    if cell.median is None:
        return [label, f'<text class="note" x="{_LEFT}" y="{y + 13}">failed</text>']
    width = cell.median.rate * scale
    kind = "own" if cell.name == GATEWAY else "other"
    return [
        label,
        f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}"/>',
        f'<text x="{_LEFT + width + 6:.1f}" y="{y + 13}">{cell.median.rate:,.0f}</text>',
    ]
