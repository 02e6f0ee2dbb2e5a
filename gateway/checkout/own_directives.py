"""nginx directives of the operator's own, files/nginx/<domain>.conf: the way out for what no key says.

nginx reads the file inside every server block of the domain that serves its routes. What is looked at here is whether
it can stand there at all; what it undoes is judged in gateway/fleet/undone_promises.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import crossplane

from gateway import file_content

FOLDER, ENDING = "nginx", ".conf"
_MAX_BYTES = 64 * 1024
_BOM = b"\xef\xbb\xbf"
# What a Chinese keyboard writes in the place of characters that mean something to nginx.
_LOOK_ALIKES = {
    "；": ";",
    "｛": "{",
    "｝": "}",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "\u3000": "space",
    "\xa0": "space",
}


@dataclass(frozen=True)
class Directive:
    """A directive of nginx, the line that it begins in and, of a block, the directives in it."""

    name: str
    arguments: tuple[str, ...]
    line: int
    block: tuple[Directive, ...] | None = None


@dataclass(frozen=True)
class OwnDirectives:
    """The file of one domain: its `path` as an operator finds it, what nginx is to read, and the directives in that.

    `notice` says what was dropped from it, empty where nothing was.
    """

    path: str
    body: bytes = field(repr=False)
    directives: tuple[Directive, ...]
    notice: str = ""

    @property
    def names(self) -> frozenset[str]:
        """The directives that stand in the server block itself."""
        return frozenset(one.name for one in self.directives)

    @property
    def server_names(self) -> frozenset[str]:
        """Further names that the server block gets by them, as nginx says them."""
        return frozenset(name.lower() for one in self.directives if one.name == "server_name" for name in one.arguments)


class CannotStandError(ValueError):
    """The file cannot be a part of a server block; the text says why and what would be right. `line` is 0 where it is
    about the whole file."""

    def __init__(self, text: str, line: int = 0) -> None:
        super().__init__(text)
        self.line = line


def path_of(domain: str, files: Path) -> Path:
    """Where the file of a domain is, whether there is one or not."""
    return files / FOLDER / f"{domain}{ENDING}"


def read(path: Path) -> OwnDirectives | None:
    """The file at `path`, None where there is none. Links are followed within its folder.

    Raises CannotStandError, and OSError where it cannot be read.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        body = file_content.content(file_content.inside(path, path.parent), _MAX_BYTES)
    except ValueError as error:
        raise CannotStandError(f"{error}; put the file with the directives there itself") from None
    if len(body) > _MAX_BYTES:
        raise CannotStandError(f"is larger than {_MAX_BYTES} bytes; it is for a few directives of one site")
    return parse(str(path), body)


def parse(path: str, body: bytes) -> OwnDirectives:
    """The directives in a file's bytes. Raises CannotStandError."""
    clean = body.removeprefix(_BOM).replace(b"\r\n", b"\n")
    notice = "" if clean == body else "dropped a byte order mark or the line endings of Windows, which an editor added"
    try:
        text = clean.decode()
    except UnicodeDecodeError as error:
        line = clean.count(b"\n", 0, error.start) + 1
        raise CannotStandError("is not UTF-8 text; save it as UTF-8", line) from None
    for number, line_text in enumerate(text.split("\n"), 1):
        if any(not one.isprintable() and one not in "\t\xa0\u3000" for one in line_text):
            raise CannotStandError("has a control character, which nobody can see; delete it", number)
    return OwnDirectives(path, clean, _directives(text), notice)


def _directives(text: str) -> tuple[Directive, ...]:
    """Read twice: alone, where every bracket has to have its partner in the file itself, then as a part of a server."""
    alone = _parsed(text, checked=False)
    # On the same line, so that lines keep their numbers.
    _parsed(f"http{{server{{{text}\n}}}}", checked=True)
    return tuple(_made(alone))


def _parsed(text: str, *, checked: bool) -> list[Mapping[str, Any]]:
    parsed = crossplane.parse_string(
        text, filename="x", single=True, check_ctx=checked, check_args=checked, catch_errors=True
    )
    (config,) = parsed["config"]
    for error in config.get("errors", ()):
        line = error["line"] or 0
        raise CannotStandError(_words(error["error"].removesuffix(f" in x:{line}"), text, line), line)
    for one in _every(config["parsed"]):
        if one["directive"][:1] in tuple("{};"):
            raise CannotStandError(f'unexpected "{one["directive"]}"; take it away', one["line"])
    result: list[Mapping[str, Any]] = config["parsed"]
    return result


def _words(fault: str, text: str, line: int) -> str:
    """What the parser found, with what would be right."""
    if fault == 'unexpected "}"':
        right = "it would close the server block that nginx reads the file in; take it away, or add the { it belongs to"
    elif fault.startswith("unexpected end of file"):
        right = "close what is open in the file itself"
    elif fault.endswith("is not allowed here"):
        right = "nginx reads the file inside a server block; what belongs to http level is a file of the host's conf.d"
    else:
        right = "each directive ends with ; and takes what nginx's documentation says"
    lines = text.split("\n")[max(line - 1, 0) : line + 1]
    found = sorted({one for part in lines for one in part.partition("#")[0] if one in _LOOK_ALIKES})
    if found:
        kinds = ", ".join(f'"{one}" as "{_LOOK_ALIKES[one]}"' for one in found)
        right += f"; nginx does not take {kinds}"
    return f"{fault}; {right}"


def _every(raw: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for one in raw:
        yield one
        yield from _every(one.get("block", ()))


def _made(raw: Iterable[Mapping[str, Any]]) -> Iterator[Directive]:
    for one in raw:
        block = tuple(_made(one["block"])) if "block" in one else None
        yield Directive(one["directive"], tuple(one["args"]), one["line"], block)
