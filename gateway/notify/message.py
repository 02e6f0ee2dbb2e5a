"""The message to a group robot, in the part of Markdown that WeCom shows."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.messages.said import code, said
from gateway.notify.changes import Changes, Concern
from gateway.problems import printable

# Bytes of UTF-8 that a robot takes, https://developer.work.weixin.qq.com/document/path/91770
LONGEST = 4096
# Bytes of one concern, and of the command, that are told; the command itself tells all of it.
_MOST = 480


def message(changed: Changes, command: str) -> str:
    """What is new, then what has ended, and how much is still open. `command` is what tells all of it again.

    At most LONGEST bytes: where there is more, says how many were left out.
    """
    heading = f"**wecom-gateway**　`{_cut(_plain(command))}`"
    still = len(changed.open) - len(changed.new)
    footer = f"此前的问题还有 {still} 个 · still open: {still}" if still else ""
    room = LONGEST - len(f"{heading}\n{footer}\n".encode())
    parts = _part("warning", "新出现的问题 · New", changed.new, room * 2 // 3 if changed.ended else room)
    room -= len("\n".join([*parts, ""]).encode())
    parts += _part("info", "已恢复 · Ended", changed.ended, room)
    return "\n".join([heading, *parts, *([footer] if footer else [])])


def _part(color: str, title: str, concerns: Sequence[Concern], room: int) -> list[str]:
    """A title and a line for each concern, as far as there is room for; at least the title."""
    if not concerns:
        return []
    lines = [f'<font color="{color}">{title}: {len(concerns)}</font>']
    rest = "> 另有 {0} 项未列出 · and {0} more"
    room -= len(lines[0].encode()) + len(rest.encode()) + 20
    for number, one in enumerate(concerns):
        line = f"> **{_plain(said(one.place))}**: {_told(one.text)}"
        room -= len(line.encode()) + 1
        if room < 0:
            return [*lines, rest.format(len(concerns) - number)]
        lines.append(line)
    return lines


def _told(text: str) -> str:
    """A finding in the operator's language, with its code, by which `explain` and the guide have the rest."""
    its_code = code(text)
    return _cut(_plain(said(text))) + (f" [{its_code}]" if its_code else "")


def _plain(text: str) -> str:
    """The text on one line, with nothing in it that Markdown or a robot takes for a sign or a link."""
    return (
        printable(text).replace("](", "]（").translate({ord("<"): "＜", ord(">"): "＞", ord("*"): "＊", ord("`"): "'"})
    )


def _cut(text: str) -> str:
    encoded = text.encode()
    return text if len(encoded) <= _MOST else encoded[: _MOST - 3].decode(errors="ignore") + "..."
