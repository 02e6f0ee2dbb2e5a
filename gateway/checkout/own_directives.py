"""nginx directives of the operator's own, files/nginx/<domain>.conf: the way out for what no key says.

nginx reads the file inside every server block of the domain that serves its routes. What is looked at here is whether
it can stand there at all; what it undoes is judged in gateway/fleet/undone_promises.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import crossplane
from crossplane import analyzer
from crossplane.errors import NgxParserBaseException
from crossplane.lexer import lex_string

from gateway import file_content
from gateway.problems import look_alikes

FOLDER, ENDING = "nginx", ".conf"
_MAX_BYTES = 64 * 1024
_BOM = b"\xef\xbb\xbf"
# What nobody means as it stands. A full-width semicolon may be part of a text.
_NEVER_MEANT = "“”‘’｛｝"
_SPACES = "\u3000\xa0"
# Stands for a space of those while nginx's own spaces are looked for; no file that is taken has it.
_NO_SPACE = "\ue000"
# Beside all that are on or off, what a block may have once. nginx knows more.
_ONCE = frozenset(
    {
        *("alias", "charset", "client_body_timeout", "default_type", "expires", "gzip_comp_level", "gzip_min_length"),
        *("keepalive_timeout", "limit_rate", "root", "send_timeout"),
    }
)


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

    def may_answer(self, path: str, status: int) -> bool:
        """Whether they may have nginx answer a request for the path with that status, in place of the gateway."""
        return status in _statuses(self.directives) or any(_is_location_of(one, path) for one in self.directives)

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


def location_of(arguments: tuple[str, ...]) -> tuple[Literal["=", "~", "@", ""], str]:
    """How a location matches, and what: exactly, by a regular expression, not at all but by name, or by prefix.

    nginx takes both as one word too.
    """
    text = "".join(arguments)
    if text.startswith("="):
        return "=", text[1:]
    if text.startswith("~"):
        return "~", text.lstrip("~*")
    return "@" if text.startswith("@") else "", text.removeprefix("^~")


def _statuses(directives: Iterable[Directive]) -> Iterator[int]:
    """The statuses with which directives of the whole server answer, whatever the path is."""
    for one in directives:
        if one.name == "return":
            yield int(one.arguments[0]) if one.arguments[0].isdecimal() else 302
        elif one.name == "rewrite":
            yield from (301, 302)
        elif one.name == "if":
            yield from _statuses(one.block or ())


def _is_location_of(one: Directive, path: str) -> bool:
    if one.name != "location":
        return False
    kind, text = location_of(one.arguments)
    if kind == "~":
        try:
            return re.search(text, path, re.IGNORECASE) is not None
        except re.error:  # nginx's own dialect, which may match
            return True
    return path == text if kind == "=" else kind != "@" and path.startswith(text)


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
        if any(not one.isprintable() and one not in f"\t{_SPACES}" for one in line_text):
            raise CannotStandError("has a control character, which nobody can see; delete it", number)
    return OwnDirectives(path, clean, _directives(text), notice)


def _directives(text: str) -> tuple[Directive, ...]:
    """Read twice: alone, where every bracket has to have its partner in the file itself, then as a part of a server."""
    _look_for_letters(text)
    alone = _parsed(text, checked=False)
    # On the same line, so that lines keep their numbers.
    _parsed(f"http{{server{{{text}\n}}}}", checked=True)
    made = tuple(_made(alone))
    _look_for_repeated(made)
    return made


def _look_for_letters(text: str) -> None:
    """Raises CannotStandError where a space, a quote or a bracket that is none to nginx is a word, or part of one."""
    marked = text.translate(dict.fromkeys(map(ord, _SPACES), _NO_SPACE))
    # what else is wrong with the file is told by the parser
    with suppress(NgxParserBaseException):
        for token, line, quoted in lex_string(marked):
            if quoted or token.startswith("#"):
                continue
            if _NO_SPACE in token:
                text = "has a space of a Chinese keyboard or a web page, which nginx takes for a letter; type it anew"
                raise CannotStandError(text, line)
            if kinds := look_alikes("".join(one for one in token if one in _NEVER_MEANT)):
                raise CannotStandError(f"nginx takes for letters what a Chinese keyboard wrote; type {kinds}", line)


def _look_for_repeated(block: Iterable[Directive]) -> None:
    """Raises CannotStandError where a block has something twice that nginx takes once."""
    seen: dict[object, int] = {}
    for one in block:
        if key := _single(one):
            if key in seen:
                raise CannotStandError(f'"{one.name}" stands in line {seen[key]} too; keep one of them', one.line)
            seen[key] = one.line
        _look_for_repeated(one.block or ())


def _single(one: Directive) -> object:
    """What nginx takes once in a block, of a directive, None where it takes any number."""
    if one.name == "location":
        kind, path = location_of(one.arguments)
        return (kind, path) if kind in ("=", "") else None
    masks = analyzer.DIRECTIVES.get(one.name, ())
    is_flag = bool(masks) and all(mask & analyzer.NGX_CONF_FLAG for mask in masks)
    return one.name if is_flag or one.name in _ONCE else None


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
        if not one["directive"][:1].isalpha():
            right = 'a regular expression with { or } belongs into quotes, as in location ~ "^/x{2}$"'
            raise CannotStandError(f'unexpected "{one["directive"]}"; {right}', one["line"])
    result: list[Mapping[str, Any]] = config["parsed"]
    return result


def _words(fault: str, text: str, line: int) -> str:
    """What the parser found, with what would be right."""
    if fault == 'unexpected "}"':
        right = "it would close the server block that nginx reads the file in; take it away, or add the { it belongs to"
    elif fault.startswith("unexpected end of file"):
        right = "close what is open in the file itself"
    elif fault.endswith("is not allowed here"):
        right = _its_place(fault.split('"')[1])
    else:
        right = "each directive ends with ; and takes what nginx's documentation says"
    lines = text.split("\n")[max(line - 1, 0) : line + 1]
    if kinds := look_alikes("".join(part.partition("#")[0] for part in lines)):
        right += f"; a Chinese keyboard wrote {kinds}"
    return f"{fault}; {right}"


def _its_place(name: str) -> str:
    """Where a directive is allowed that is not allowed where it stands."""
    masks = analyzer.DIRECTIVES.get(name, ())
    in_server, in_location = (
        any(mask & place for mask in masks) for place in (analyzer.NGX_HTTP_SRV_CONF, analyzer.NGX_HTTP_LOC_CONF)
    )
    if in_server or in_location:
        places = ["outside of any block"] * in_server + ["directly into a location"] * in_location
        return f"it belongs {' or '.join(places)}"
    return "nginx reads the file inside a server block; what belongs to http level is a file of the host's conf.d"


def _every(raw: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for one in raw:
        yield one
        yield from _every(one.get("block", ()))


def _made(raw: Iterable[Mapping[str, Any]]) -> Iterator[Directive]:
    for one in raw:
        block = tuple(_made(one["block"])) if "block" in one else None
        yield Directive(one["directive"], tuple(one["args"]), one["line"], block)
