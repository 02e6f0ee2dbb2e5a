"""What a host is, as lines for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.deploys.host_report import HostReport, Nginx, Site
from gateway.problems import printable

# So many programs and sites of one host are told; --json has them all.
_MOST = 20


def heading(one: HostReport) -> str:
    """The host's name, its address where that is another word, and whether a deploy would work."""
    address = f" ({one.address})" if one.address != one.host else ""
    verdict = "nothing is in the way of a deploy" if one.ready else one.problem or "a deploy would be refused"
    return printable(f"{one.host}{address}: {verdict}")


def rows(one: HostReport) -> list[tuple[str, str]]:
    """A label and a text for each thing that is known of the host; none where it was not read."""
    return [] if one.problem else [(label, printable(text)) for label, text in _rows(one)]


def _rows(one: HostReport) -> Iterator[tuple[str, str]]:
    yield "system", one.system or "does not say what it is"
    if one.nginx:
        yield from _nginx(one.nginx, "nginx")
    elif one.would_install:
        yield "nginx", f"none of a package; a deploy would install {one.would_install}"
    else:
        yield "nginx", "none of a package; its package manager knows of none yet, and a deploy has it look again"
    for other in one.other_nginx:
        yield from _nginx(other, "other nginx")
    if one.release:
        yield "gateway", f"release {one.release}" + (f", deployed by version {one.product}" if one.product else "")
    else:
        yield "gateway", "no release yet"
    programs = (
        f"{program.name}{f' ({program.unit})' if program.unit else ''} on {', '.join(program.listens)}"
        for program in one.programs
    )
    yield from _some("listens", [*programs])
    yield from _some("site", [_site(site) for site in one.sites])
    yield from (("in the way", text) for text in one.in_the_way)
    yield from (("note", text) for text in one.remarks)


def _nginx(one: Nginx, label: str) -> Iterator[tuple[str, str]]:
    version = " with ".join(filter(None, [one.version, one.tls]))
    runs = f"runs under {one.runs}" if one.runs.endswith(".service") else f"runs as {one.runs}" if one.runs else ""
    yield label, ", ".join(filter(None, [version, one.source, one.program, runs or "does not run"]))
    without = f"without {', '.join(one.without)}" if one.without else ""
    if modules := "; ".join(filter(None, [", ".join(one.modules), without])):
        yield "modules", modules


def _site(one: Site) -> str:
    names = ", ".join(name for name in one.names if name) or "without a name"
    return f"{names} on {', '.join(one.listens)} in {one.file}"


def _some(label: str, texts: list[str]) -> Iterable[tuple[str, str]]:
    yield from ((label, text) for text in texts[:_MOST])
    if len(texts) > _MOST:
        yield label, f"and {len(texts) - _MOST} more; --json has them all"
