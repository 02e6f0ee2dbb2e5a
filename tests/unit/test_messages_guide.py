"""Whatever a deploy, a rollback or a preview can say stands in the guide, docs/messages.md, in both languages."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from guide import catalogues
from guide.codes import begins, fragments
from guide.message_texts import VALUE, is_message, python_texts, script_texts, texts

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

# What is only ever part of a message.
_PARTS = {
    "the user who runs this",
    "the private key's file",
    'edge "slb" behind a load balancer',
    "an https upstream",
    "leave slb_cidrs out: upstreams are told the load balancer's address then, and what comes to it by plain http is "
    "not redirected",
    "leave rate_limit out",
}
_NO_MESSAGES = {*tomllib.loads(catalogues.LISTS.read_text("utf-8"))["no_messages"]}


EVERYTHING = [(name, text) for name in [*SOURCES, *ALSO] for text in texts(TOP / name)]
MESSAGES = [
    (name, text)
    for name, text in EVERYTHING
    if name in SOURCES and is_message(text) and text not in _PARTS and catalogues.as_message(text) not in _NO_MESSAGES
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_message_has_a_place(page):
    known = fragments(page.read_text())
    missing = [
        f"{name}: {text.replace(VALUE, '...')}"
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


def test_what_is_part_of_a_message_is_still_there():
    assert {text for _, text in EVERYTHING if is_message(text)} >= _PARTS


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
