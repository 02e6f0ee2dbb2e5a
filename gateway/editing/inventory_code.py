"""An inventory file as it is written: its lists of hosts and of sites, where these are plain enough to be added to.

Nothing is ever rewritten: what comes out is the file with something inserted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

# As long as a line may get where others have their entry on one line.
WIDTH = 120
_UNIT = "    "


class TooCleverError(Exception):
    """The file is written so that nobody but its author can add to it; the message says where, why and what helps."""


@dataclass(frozen=True)
class Slot:
    """Where one more element of a list goes. `indent` stands before each of its lines, `unit` is one step further.

    `sibling` is the text of the list's last element, empty where it has none. `inline`: it goes on the line of others,
    which leaves `room` characters. `comma`: the list's last element has a comma behind it.
    """

    indent: str
    unit: str
    sibling: str
    inline: bool
    room: int
    comma: bool


# Writes an element for a slot: its text, without an indent before its first line.
Writer = Callable[[Slot], str]


class Code:
    """The file's text. `path` is its name in messages."""

    def __init__(self, path: str, source: bytes) -> None:
        """Raises TooCleverError where it cannot be parsed."""
        self.path = path
        self._source = source
        try:
            module = cst.parse_module(source)
        except (cst.ParserSyntaxError, UnicodeError) as error:
            raise TooCleverError(f"{path}: cannot be read as Python: {str(error).splitlines()[0]}") from None
        self.newline = module.default_newline
        self._spans = MetadataWrapper(module, unsafe_skip_copy=True).resolve(ByteSpanPositionProvider)
        self._module = module
        self._values = dict(_assigned(module))
        self.quote = _usual_quote(module)

    def line(self, text: str) -> int | None:
        """The number of the first line that has `text` as a whole string. None where none has."""
        for node in self._spans:
            if isinstance(node, cst.SimpleString) and node.evaluated_value == text:
                return self._line(node)
        return None

    def with_site(self, host: str, write: Writer) -> bytes:
        """The file with one more site in the host's own list. Raises TooCleverError."""
        for value in self._values.values():
            for element in _hosts(value):
                if _text(element.value) == host:
                    raise self._too_clever(
                        element, f'{host} stands there without sites; right would be ("{host}", {{"sites": []}})'
                    )
                if isinstance(element.value, cst.Tuple) and _text(element.value.elements[0].value) == host:
                    return self._append(self._sites(element.value, host), write, spread=False)
        raise TooCleverError(
            f'{self.path}: {host} is in no list that is written out as [("{host}", {{"sites": [...]}})]; '
            "write the site where the file makes that host"
        )

    def with_host(self, group: str, write: Writer) -> bytes:
        """The file with one more host in the list of that name, which is in the file. Raises TooCleverError."""
        value = self._values.get(group)
        if value is None:
            raise TooCleverError(
                f"{self.path}: {group} is not written out as one list ({group} = [...]); write the host where the "
                "file makes that list"
            )
        return self._append(self._plain(_list_of_hosts(value), group), write, spread=True)

    def with_list(self, group: str, write: Writer) -> bytes:
        """The file with one more list at its end, which has one host."""
        typed = b"import Hosts" in self._source
        text = write(Slot(_UNIT, _UNIT, "", False, WIDTH, True))
        lines = [f"{group}{': Hosts' if typed else ''} = [", f"{_UNIT}{text},", "]", ""]
        before = self._source
        if before and not before.endswith(b"\n"):
            before += self.newline.encode()
        if before:
            before += self.newline.encode()
        return before + self.newline.join(lines).encode()

    def _sites(self, entry: cst.Tuple, host: str) -> cst.List:
        """The list of sites of a host's entry."""
        data = entry.elements[1].value if len(entry.elements) == 2 else None
        if not isinstance(data, cst.Dict):
            raise self._too_clever(entry, f"the data of {host} is not written out as a dict")
        found = [one.value for one in data.elements if isinstance(one, cst.DictElement) and _text(one.key) == "sites"]
        if len(found) != 1:
            raise self._too_clever(data, f'the data of {host} has no "sites" that is written there')
        return self._plain(found[0], f"the sites of {host}")

    def _plain(self, value: cst.BaseExpression, what: str) -> cst.List:
        if not isinstance(value, cst.List):
            kind = _KINDS.get(type(value), "something else than a list")
            raise self._too_clever(value, f"{what}: is {kind}, not a list that is written out")
        starred = next((one for one in value.elements if isinstance(one, cst.StarredElement)), None)
        if starred:
            raise self._too_clever(starred, f"{what}: has another list in it (*)")
        return value

    def _too_clever(self, node: cst.CSTNode, text: str) -> TooCleverError:
        return TooCleverError(f"{self.path}:{self._line(node)}: {text}; write the entry there yourself")

    def _line(self, node: cst.CSTNode) -> int:
        return self._source.count(b"\n", 0, self._spans[node].start) + 1

    def _append(self, value: cst.List, write: Writer, *, spread: bool) -> bytes:
        """The file with one more element in the list. `spread`: an empty one gets a line for it."""
        close = self._end(value) - 1
        if not value.elements:
            return self._first(self._spans[value].start + 1, close, write, spread=spread)
        last = value.elements[-1]
        end = self._spans[last].start + self._spans[last].length
        comma = isinstance(last.comma, cst.Comma)
        behind = end + self._source[end:close].index(b",") + 1 if comma else end
        sibling = self._source[self._spans[last].start : end].decode()
        if b"\n" in self._source[behind:close]:
            indent = self._indent_of(value.elements)
            base = self._margin(close)
            slot = Slot(indent, _step(base, indent), sibling, False, WIDTH - len(indent) - 1, comma)
            text = f"{indent}{write(slot)}{',' if comma else ''}{self.newline}"
            return self._inserted({end: "" if comma else ",", self._line_start(close): text})
        rest = self._line_end(close) - self._line_start(close)
        text = write(Slot("", _UNIT, sibling, True, WIDTH - rest - 2, comma))
        column = self._column(self._spans[value.elements[0]].start)
        fits = rest + len(text) + 2 <= WIDTH and not self._starts_line(last)
        gap = " " if fits else f"{self.newline}{column}"
        return self._inserted({behind: f"{'' if comma else ','}{gap}{text}{',' if comma else ''}"})

    def _first(self, open_: int, close: int, write: Writer, *, spread: bool) -> bytes:
        """The file with an element in the list that is empty between these places, but for comments."""
        base = self._margin(close)
        slot = Slot(base + _UNIT, _UNIT, "", False, WIDTH - len(base) - len(_UNIT) - 1, True)
        if b"\n" in self._source[open_:close]:
            return self._inserted({self._line_start(close): f"{slot.indent}{write(slot)},{self.newline}"})
        rest = self._line_end(close) - self._line_start(close)
        inline = write(Slot(base, _UNIT, "", True, WIDTH - rest, False))
        if not spread and rest + len(inline) <= WIDTH:
            return self._inserted({open_: inline})
        return self._inserted({open_: f"{self.newline}{slot.indent}{write(slot)},{self.newline}{base}"})

    def _inserted(self, texts: Mapping[int, str]) -> bytes:
        """The file with each text inserted at its place."""
        result, done = b"", 0
        for place, text in sorted(texts.items()):
            result += self._source[done:place] + text.encode()
            done = place
        return result + self._source[done:]

    def _indent_of(self, elements: Sequence[cst.BaseElement]) -> str:
        """What stands before the elements that begin a line; where none does, blanks up to the last one."""
        for element in reversed(elements):
            if self._starts_line(element):
                return self._margin(self._spans[element].start)
        return self._column(self._spans[elements[-1]].start)

    def _starts_line(self, node: cst.CSTNode) -> bool:
        start = self._spans[node].start
        return not self._source[self._line_start(start) : start].strip()

    def _column(self, place: int) -> str:
        """Blanks as wide as what stands before a place on its line; tabs stay tabs."""
        before = self._source[self._line_start(place) : place].decode()
        return "".join(one if one == "\t" else " " for one in before)

    def _margin(self, place: int) -> str:
        """The blanks with which the line of a place begins."""
        line = self._source[self._line_start(place) : self._line_end(place)].decode()
        return line[: len(line) - len(line.lstrip())]

    def _line_start(self, place: int) -> int:
        return self._source.rfind(b"\n", 0, place) + 1

    def _line_end(self, place: int) -> int:
        end = self._source.find(b"\n", place)
        end = len(self._source) if end < 0 else end
        return end - 1 if self._source[:end].endswith(b"\r") else end

    def _end(self, node: cst.CSTNode) -> int:
        return self._spans[node].start + self._spans[node].length


_KINDS: dict[type[cst.CSTNode], str] = {
    cst.ListComp: "a comprehension",
    cst.GeneratorExp: "a comprehension",
    cst.Call: "what a function returns",
    cst.Name: "a variable",
    cst.Attribute: "a variable",
    cst.BinaryOperation: "put together from several",
    cst.Tuple: "a tuple",
    cst.IfExp: "one of two",
}


def _assigned(module: cst.Module) -> Iterator[tuple[str, cst.BaseExpression]]:
    """The variables that the file gives a value at its top level, each with the last one."""
    for line in module.body:
        for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            target: cst.CSTNode | None = None
            if isinstance(statement, cst.AnnAssign):
                target = statement.target
            elif isinstance(statement, cst.Assign) and len(statement.targets) == 1:
                target = statement.targets[0].target
            if isinstance(target, cst.Name) and isinstance(statement, cst.Assign | cst.AnnAssign) and statement.value:
                yield target.value, statement.value


def _list_of_hosts(value: cst.BaseExpression) -> cst.BaseExpression:
    """The list in a group's value, which may be a pair of a list and data."""
    if isinstance(value, cst.Tuple) and len(value.elements) == 2 and isinstance(value.elements[1].value, cst.Dict):
        return value.elements[0].value
    return value


def _hosts(value: cst.BaseExpression) -> Iterator[cst.Element]:
    """The entries of a group that are written out."""
    listed = _list_of_hosts(value)
    for element in listed.elements if isinstance(listed, cst.List) else ():
        is_entry = isinstance(element.value, cst.SimpleString) or (
            isinstance(element.value, cst.Tuple) and element.value.elements
        )
        if isinstance(element, cst.Element) and is_entry:
            yield element


def _text(value: cst.BaseExpression) -> str | None:
    """The string that is written there. None where it is something else."""
    if isinstance(value, cst.SimpleString | cst.ConcatenatedString) and isinstance(value.evaluated_value, str):
        return value.evaluated_value
    return None


def _usual_quote(module: cst.Module) -> str:
    """The quotation mark that most strings of the file have."""
    found = {"'": 0, '"': 0}

    class Strings(cst.CSTVisitor):
        def visit_SimpleString(self, node: cst.SimpleString) -> None:  # noqa: N802, libcst calls it by this name
            if len(node.quote) == 1:
                found[node.quote] += 1

    module.visit(Strings())
    return "'" if found["'"] > found['"'] else '"'


def _step(base: str, indent: str) -> str:
    """What `indent` has more than `base`."""
    return indent.removeprefix(base) or _UNIT if indent.startswith(base) else _UNIT
