"""Which files of a host's nginx its adopted sites take the place of, where they are to stay on that host."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.adopt.directives import Finding
from gateway.adopt.report import BlockReport
from gateway.fleet import replaced_files


def replaced(blocks: Iterable[BlockReport]) -> tuple[list[str], list[Finding]]:
    """The files of which every server block was adopted, for `replaces`; and those that cannot be put aside though one
    was, with the reason."""
    by_file: dict[str, list[BlockReport]] = {}
    for block in blocks:
        by_file.setdefault(block.file, []).append(block)
    files: list[str] = []
    kept: list[Finding] = []
    for file, own in by_file.items():
        adopted = [block for block in own if block.domains]
        if not adopted:
            continue
        if reason := _stays(file, own):
            kept.append(Finding(file, adopted[0].line, reason))
        else:
            files.append(file)
    return files, kept


def _stays(file: str, own: Sequence[BlockReport]) -> str:
    """Why the file cannot be put aside; "" where it can."""
    if not file.startswith("/"):
        return "is no name that the file has on its host; adopt what `nginx -T` printed there, or use --from"
    left = [str(block.line) for block in own if not block.domains]
    domains = ", ".join(dict.fromkeys(domain for block in own for domain in block.domains))
    move = f"move the servers of {domains} into a file of their own, reload nginx, and adopt again"
    if left:
        return f"has a server that is left alone (line {', '.join(left)}), so it cannot be put aside whole; {move}"
    _, problems = replaced_files.parse("", [file])
    return f"cannot be put aside ({problems[0].text}); {move}" if problems else ""
