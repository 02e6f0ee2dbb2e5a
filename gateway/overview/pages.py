"""The pages as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from gateway import product, rendering
from gateway.handover import pages as handover
from gateway.messages.said import in_chinese
from gateway.outside import report
from gateway.overview import view
from gateway.overview.folder import INDEX, page_name
from gateway.overview.view import FleetView, State
from gateway.wecom.bilingual import Text

# After so many hours a page says itself that it is old.
_OLD_HOURS = 3

_STATES: dict[State, Text] = {
    "failed": Text("需要处理", "needs somebody"),
    "unasked": Text("未全部查到", "not all asked"),
    "warning": Text("需留意", "take a look"),
    "passed": Text("正常", "fine"),
}
# A sign beside the color.
_SIGNS: dict[State, str] = {"failed": "✖", "unasked": "?", "warning": "▲", "passed": "✔"}


def render(fleet: FleetView, when: datetime) -> Iterator[tuple[str, str]]:
    """Name and text of each page: those of the schools, then the fleet's, which links them.

    `when` is when hosts and sites were asked, with a time zone. Raises BrokenTemplateError.
    """
    values = {
        "fleet": fleet,
        "made": f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "utc": f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        "local": f"{when.astimezone():%Y-%m-%d %H:%M} UTC{when.astimezone():%z}",
        "product": product.full_name(),
        "old_hours": _OLD_HOURS,
        "states": _STATES,
        "signs": _SIGNS,
        "index": INDEX,
        "page_name": page_name,
        "chinese": in_chinese,
        "words": report.outcome_in_words,
        "days_state": view.days_state,
    }
    for school in fleet.schools:
        more = {"school": school, "sheet": handover.body(school.sheet)}
        yield page_name(school.domain), rendering.render("overview", "school.html.j2", values | more)
    yield INDEX, rendering.render("overview", "index.html.j2", values)
