"""Whatever a deploy, a rollback or a preview can say stands in the guide, docs/messages.md, in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PAGES = [TOP / "docs" / name for name in ("messages.md", "messages.zh.md")]

# Every file that has texts which a deploy, a rollback or their preview prints.
SOURCES = [
    *("config.py", "deploy.py", "rollback.py"),
    *(
        "gateway/environment.py",
        "gateway/deploys/orders.py",
        "gateway/certificates/ca_file.py",
        "gateway/nginx/modules.py",
        "gateway/fleet/containers.py",
        "gateway/fleet/inventory_file.py",
        "gateway/fleet/loading.py",
        "gateway/fleet/same_machine.py",
        "gateway/fleet/ssh_keys.py",
        "gateway/fleet/vagrant.py",
    ),
    *(
        f"gateway/deploys/{name}.py"
        for name in (
            *("preflight", "unattended", "connections", "connection_words"),
            *("stages", "target", "operations", "objections", "guards", "losses", "origin", "comparison", "preview"),
        )
    ),
    *(
        f"gateway/onhost/scripts/{name}.sh"
        for name in (
            *("common", "state", "packages", "neighbours", "which_nginx", "listing", "manifest", "handwritten"),
            *("hold_back", "settle_nginx", "settle_mtail", "publish", "withdraw", "open_ports"),
            *("activate", "addresses", "aside", "candidate"),
            *("obtain", "acme", "authority", "housekeeping"),
        )
    ),
]

# Where further texts come from that the page has, though `check` and not a deploy has most of what stands there.
ALSO = ["gateway/fleet/parsing.py", "gateway/fleet/shared_domains.py", "gateway/fleet/upstream_authorities.py"]

# Scripts of the same folder that write into a journal, or answer `status` or `logs`.
_ELSEWHERE = {
    *(
        "dpkg.sh",
        "expiry.sh",
        "health.sh",
        "logs.sh",
        "logsize.sh",
        "metrics.sh",
        "pauses.sh",
        "renew.sh",
        "reopen.sh",
        "resolve.sh",
    )
}

# What stands in a text for a value.
_VALUE = "\0"
# What is no message although it has three words, and what is only ever part of one.
_OTHER = {
    "wecom-gateway: begin",
    "nginx: master process ",
    "can't set attribute",
    "the user who runs this",
    "no such container",
    "the private key's file",
    "s#[^ ;]*/releases/\0/files/nginx/\0#\0/empty.conf#g",
    "s#[^ ;]*/releases/\0/sites/#\0/release/sites/#g",
    "include \0/gateway.conf;",
    "include \0/.included/*.conf;",
    'edge "slb" behind a load balancer',
    "an https upstream",
    "leave slb_cidrs out: upstreams are told the load balancer's address then, and what comes to it by plain http is "
    "not redirected",
    "leave rate_limit out",
    "\0 install ok installed",
    "no package provides \0",
    "unit:Foreign /etc/init.d/nginx",
    "# configuration file \0/release.conf:",
    "# Nothing: all settings are arguments.",
}


def python_texts(source: str) -> Iterator[str]:
    """The string literals of a program with a mark for each value, but for docstrings and regular expressions."""
    tree = ast.parse(source)
    lines = source.encode().splitlines()
    passed_over = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            passed_over.add(node.value)
        if isinstance(node, ast.JoinedStr):
            passed_over.update(node.values)
    for node in ast.walk(tree):
        if node in passed_over or not isinstance(node, ast.expr):
            continue
        if lines[node.lineno - 1][node.col_offset :].startswith((b'r"', b"r'")):
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(one.value if isinstance(one, ast.Constant) else _VALUE for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"\{\w*\}", _VALUE, node.value)


def script_texts(source: str) -> Iterator[str]:
    """The same of a script of bash: what stands in double quotes, and what a program of Python in it says."""
    for program in re.findall(r"<<'PYTHON'\n(.*?)\nPYTHON\n", source, re.DOTALL):
        yield from python_texts(program)
    rest = re.sub(r"<<'(\w+)'\n.*?\n\1\n", "\n", source, flags=re.DOTALL)
    place = 0
    while place < len(rest):
        if rest[place] == "'":
            place = rest.index("'", place + 1) + 1
        elif rest[place] == "#" and rest[place - 1].isspace():
            place = rest.index("\n", place)
        elif rest[place] == '"':
            text, place = _quoted(rest, place + 1)
            yield text
        else:
            place += 2 if rest[place] == "\\" else 1


def _quoted(source: str, place: int) -> tuple[str, int]:
    """What a double quote opened, and where it ends. What is quoted within $(...) belongs to the value."""
    text = ""
    while source[place] != '"':
        if source[place] == "\\":
            text += source[place + 1].replace("\n", "")
            place += 2
        elif source[place] == "$":
            text += _VALUE
            place = _expansion_end(source, place + 1)
        else:
            text += source[place]
            place += 1
    return text, place + 1


def _expansion_end(source: str, place: int) -> int:
    if source[place] not in "({":
        found = re.compile(r"\w+|.").match(source, place)
        return found.end() if found else place
    depth = 0
    while True:
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(source[place], 0)
        place += 1
        if not depth:
            return place


def texts(path: Path) -> list[str]:
    """What the file says, messages and everything else."""
    read = python_texts if path.suffix == ".py" else script_texts
    return list(read(path.read_text()))


def is_message(text: str) -> bool:
    """Whether an operator may read it: three words at least."""
    return " " in text and len(re.findall(r"[^\W\d_]{2,}", text)) > 2


def fragments(page: str) -> list[str]:
    """The beginnings of messages that a page has a place for: code in the first column of its tables."""
    rows = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| `")]
    return [code for row in rows for _, code in re.findall(r"(`+) ?(.+?) ?\1(?!`)", row)]


def begins(text: str, fragment: str) -> bool:
    """Whether the text begins as the fragment does, whose `...` is a value."""
    pattern = re.escape(fragment).replace(re.escape("..."), f".*{_VALUE}.*")
    return bool(re.match(pattern, text.removeprefix("wecom-gateway: ").lstrip(" ;,"), re.DOTALL))


EVERYTHING = [(name, text) for name in [*SOURCES, *ALSO] for text in texts(TOP / name)]
MESSAGES = [(name, text) for name, text in EVERYTHING if name in SOURCES and is_message(text) and text not in _OTHER]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_message_has_a_place(page):
    known = fragments(page.read_text())
    missing = [
        f"{name}: {text.replace(_VALUE, '...')}"
        for name, text in MESSAGES
        if not any(begins(text, one) for one in known)
    ]
    assert not missing, f"{page.name} has no row that begins like these:\n" + "\n".join(missing)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_place_is_for_a_message_that_is_gone(page):
    """An operator searches for what a host says today."""
    gone = [one for one in fragments(page.read_text()) if not any(begins(text, one) for _, text in EVERYTHING)]
    assert not gone


def test_no_place_is_for_everything():
    """A row that begins like many messages would hide a new one."""
    counts = {
        one: len({text for _, text in EVERYTHING if begins(text, one)}) for one in fragments(PAGES[0].read_text())
    }
    assert not [one for one, number in counts.items() if number > 2]


def test_every_script_is_known():
    scripts = [Path(name) for name in SOURCES if name.endswith(".sh")]
    there = {path.name for folder in {one.parent for one in scripts} for path in (TOP / folder).glob("*.sh")}
    assert there == {one.name for one in scripts} | _ELSEWHERE


def test_both_languages_have_the_same_messages():
    english, chinese = (fragments(page.read_text()) for page in PAGES)
    assert english == chinese
    assert len(english) == len(set(english))


def test_what_is_no_message_is_still_there():
    assert {text for _, text in EVERYTHING if is_message(text)} >= _OTHER


def test_texts_of_a_program():
    source = """'''A docstring, which is no message.'''
def say(name):
    yield f"the host {name} is not " "there"
    yield "the user {user} is unknown".format(user=name)
    return re.match(r"a regular expression", name)
"""
    assert sorted(python_texts(source)) == ["the host \0 is not there", "the user \0 is unknown"]


def test_texts_of_a_script():
    source = """# a comment that isn't "a message"
fail "port $1 is held by $(cat "/proc/$pid/comm" || echo nobody) (${2-"none"}), \\
free it"
awk '{ print "of no interest" }' # "nor this"
python3 - <<'PYTHON'
print(f"{place} does not answer")
PYTHON
cat <<'UNIT'
it's "data"
UNIT
"""
    assert list(script_texts(source)) == ["\0 does not answer", "port \0 is held by \0 (\0), free it"]
