"""`python -m guide.catalogues`: takes the product's texts into the catalogues of gateway/messages/locale/.

What is new there has an empty translation until somebody writes it; what the product no longer says is gone.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from gateway.messages.catalogue import CLICK, FOLDER
from guide import sources
from guide.message_texts import VALUE, is_message, texts

TOP = Path(__file__).parents[1]
# Texts that look like messages and are none, and short ones that are.
LISTS = Path(__file__).with_name("messages.toml")

# Prometheus reads what these print, not an operator.
_FOR_PROMETHEUS = ("metrics.sh", "exposition.py")
# Rooms whose texts are in both languages as they are.
_BILINGUAL = ("wecom", "handover", "overview", "messages")


def expected() -> dict[str, Catalog]:
    """What the catalogues have to have, by name, without translations."""
    found: dict[str, Catalog] = {}
    lists = tomllib.loads(LISTS.read_text(encoding="utf-8"))
    helps = _help()
    # Help texts are literals of the commands too.
    passed_over = {*lists["no_messages"], *(message.id for message in helps)}
    for name, path in files():
        catalogue = found.setdefault(name, _empty())
        place = str(path.relative_to(TOP))
        for message in _messages(path):
            if message not in passed_over:
                catalogue.add(message, locations=[(place, 0)])
        for noun in _nouns(path):
            catalogue.add((f"{{0}} {noun}", f"{{0}} {noun}s"), locations=[(place, 0)])
    for name, short in lists["short"].items():
        for text in short:
            found[name].add(text)
    found["help"] = helps
    found[CLICK] = _click()
    return found


def files() -> Iterator[tuple[str, Path]]:
    """Each file that has texts, with the name of its catalogue: the room that it stands in."""
    for path in sorted([*(TOP / "gateway").rglob("*.py"), *(TOP / "gateway/onhost/scripts").glob("*.sh")]):
        room, *rest = path.relative_to(TOP / "gateway").parts
        if (
            room not in _BILINGUAL
            and "files" not in rest
            and "templates" not in path.parts
            and path.name not in _FOR_PROMETHEUS
        ):
            yield (room if rest else "problems"), path
    for name in ("config.py", "deploy.py", "rollback.py"):
        yield "deploys", TOP / name


def _messages(path: Path) -> Iterator[str]:
    for text in texts(path):
        if is_message(text):
            yield as_message(text)


def as_message(text: str) -> str:
    """A text with a mark for each value as gettext has it, without what joins it to its neighbours in a line."""
    text = text.removeprefix("wecom-gateway: ").strip().strip(";,:").strip()
    numbers = iter(range(100))
    parts = re.split(f"({VALUE})", text.replace("{", "{{").replace("}", "}}"))
    return "".join(f"{{{next(numbers)}}}" if part == VALUE else part for part in parts)


def _nouns(path: Path) -> Iterator[str]:
    """What `problems.count` counts there."""
    if path.suffix != ".py":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "count":
            noun = node.args[1]
            if isinstance(noun, ast.Constant):
                yield str(noun.value)


def _help() -> Catalog:
    """What `--help` says."""
    catalogue = _empty()
    group = sources.commands()
    for command in (group, *group.commands.values()):
        for text in sources.help_texts(command):
            catalogue.add(text)
    return catalogue


def _click() -> Catalog:
    """What click itself says: of a wrong option, above a list of options, and so on."""
    catalogue = _empty()
    folder = str(Path(click.__file__).parent)
    for _, _, text, _, _ in extract_from_dir(folder, [("**.py", "python")], keywords={"_": None, "ngettext": (1, 2)}):
        catalogue.add(text)
    # not called by its name there
    catalogue.add("required")
    return catalogue


def _empty() -> Catalog:
    return Catalog(locale="zh_CN", project="wecom-gateway", fuzzy=False, charset="utf-8")


def read(name: str) -> Catalog:
    """The catalogue as it is kept, an empty one where it is not."""
    path = FOLDER / f"{name}.po"
    if not path.is_file():
        return _empty()
    with path.open("rb") as file:
        return read_po(file, locale="zh_CN")


def updated(name: str, wanted: Catalog) -> Catalog:
    """What is wanted, with the translations that are kept."""
    kept = read(name)
    for message in wanted:
        if message.id and (old := kept.get(message.id)):
            message.string = old.string
    return wanted


def untranslated(catalogue: Catalog) -> list[str]:
    """The texts that have no translation."""
    return [str(one.id) for one in catalogue if one.id and not any(one.string or "")]


def as_po(catalogue: Catalog) -> bytes:
    file = BytesIO()
    write_po(file, catalogue, width=116, no_location=False, omit_header=False, sort_by_file=False, include_lineno=False)
    return re.sub(rb'^"(POT-Creation|PO-Revision)-Date:.*\n', b"", file.getvalue(), flags=re.MULTILINE)


def main() -> None:
    """Writes all catalogues, and says how many texts have no translation yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, wanted in sorted(expected().items()):
        catalogue = updated(name, wanted)
        (FOLDER / f"{name}.po").write_bytes(as_po(catalogue))
        print(f"{name}: {len(catalogue)} texts, {len(untranslated(catalogue))} without a translation")


if __name__ == "__main__":
    main()
