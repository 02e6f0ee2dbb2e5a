"""What the guide has people type exists: in an outage nobody has time for a command that is another one by now."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from pyinfra_cli.main import cli as pyinfra

from gateway.cli.main import main

from .conftest import REPO

PAGES = sorted((REPO / "docs").rglob("*.md"))
_TYPED = re.compile(r"(?:python -m gateway|wecom-gateway|pyinfra) [^`|\n]*[^`|\n\s]")
_CODE = re.compile(r"^ *```\w*\n(.*?)^ *```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)


def command_lines(page: Path) -> list[str]:
    """The command lines of a page, in blocks and in the text; what stands on two lines by a backslash is one."""
    code = [block or inline for block, inline in _CODE.findall(page.read_text())]
    lines = [line.strip() for text in code for line in text.replace("\\\n", " ").splitlines()]
    return [found.group() for line in lines if (found := _TYPED.match(line))]


def unknown(line: str) -> str:
    """What there is none of: the command, or one of the options. Empty where all is well."""
    words = shlex.split(line.replace("...", ""), comments=True)
    words = words[2:] if words[0] == "python" else words
    program = words.pop(0)
    command: click.Command | None = pyinfra
    if program != "pyinfra":
        if not words or words[0].startswith("-"):
            command = main
        elif (command := main.commands.get(words[0])) is None:
            return f"no command {words[0]}"
    options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"-h", "--help"}
    given = [word.partition("=")[0] for word in words if re.fullmatch(r"-{1,2}[a-z][a-z-]*(=.*)?", word)]
    # a dash alone, and several letters behind one, are no options of ours
    return ", ".join(one for one in given if one not in options)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPO / "docs")))
def test_every_command_and_option_exists(page):
    faults = [f"{line}: {fault}" for line in command_lines(page) if (fault := unknown(line))]
    assert not faults


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("python -m gateway stat inventory/prod.py", "no command stat"),
        ("python -m gateway verify inventory/prod.py --fast", "--fast"),
        ("pyinfra -y --only gw-b inventory/prod.py rollback.py", "--only"),
        ("python -m gateway logs inventory/prod.py --id x --since=2h", ""),
    ],
)
def test_what_is_not_there_is_found(line, fault):
    assert unknown(line) == fault


def test_the_first_hour_has_the_same_commands_in_both_languages():
    english, chinese = (command_lines(REPO / "docs" / f"first-hour{end}.md") for end in ("", ".zh"))
    assert len(english) > 20
    assert english == chinese
    needed = {"verify", "status", "logs", "explain", "overview", "import-cert"}
    assert {line.split()[3] for line in english if line.startswith("python")} >= needed
    assert any("rollback.py" in line for line in english)
    assert any("--notify" in line for line in english)
