"""Everything that an operator reads has a translation, and what the guide explains has a code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib

import pytest

from gateway.messages import catalogue
from gateway.messages.said import code
from gateway.messages.speech import Translation
from guide import catalogues, codes

from . import test_mistakes

EXPECTED = catalogues.expected()
GLOSSARY = tomllib.loads((catalogues.TOP / "guide/glossary.toml").read_text())
# Messages in which a word of the glossary means something else, or goes without saying.
_IN_ANOTHER_SENSE = {
    "app entry",
    "--metrics: a node exporter reads files that end in .prom alone; name a file NAME.prom",
    "Write what Prometheus can ask no host for. FILE, NAME.prom, is for a node exporter's textfile collector.",
    "Write the entry for DOMAIN into an inventory, put its files in place, and check it, offline.",
}
# A value: {0}, and of click's own {name!r} and %(prog)s.
_VALUE = re.compile(r"\{\{|\}\}|\{[^}]*\}|%\(\w+\)s|%s")


@pytest.mark.parametrize("name", EXPECTED)
def test_the_catalogue_is_up_to_date(name):
    """After a change to what the product says: make messages, then write the Chinese of what is new."""
    kept = {message.id for message in catalogues.read(name) if message.id}
    assert kept == {message.id for message in EXPECTED[name] if message.id}


def test_the_locale_of_whoever_makes_the_catalogues_does_not_matter():
    program = "from pathlib import Path; from guide.message_texts import texts; texts(Path('gateway/problems.py'))"
    ascii_alone = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    subprocess.run([sys.executable, "-c", program], cwd=catalogues.TOP, env=ascii_alone, check=True)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_message_has_a_translation(name):
    assert not catalogues.untranslated(catalogues.updated(name, EXPECTED[name]))


def _pairs():
    for name in EXPECTED:
        for english, chinese in catalogue.read(name).items():
            yield name, english, chinese


def test_a_translation_has_the_same_values():
    """What counts has them in the singular or in the plural."""
    wrong = [
        (name, one.id, one.string)
        for name in EXPECTED
        for one in catalogues.read(name)
        if one.id and _values(one.string) not in map(_values, [one.id] if isinstance(one.id, str) else one.id)
    ]
    assert not wrong


def _values(text):
    return set(_VALUE.findall(text if isinstance(text, str) else text[0])) - {"{{", "}}"}


def _has(english, term):
    """Whether the term stands in what is no code, path or name."""
    words = re.sub(r"`[^`]*`|\"[^\"]*\"", "", english)
    return re.search(rf"(?<![\w/.-]){term}s?(?![\w/.-])", words)


def test_terms_are_those_of_the_glossary():
    wrong = [
        (name, term, english, chinese)
        for name, english, chinese in _pairs()
        for term, words in GLOSSARY.items()
        if _has(english, term) and not any(word in chinese for word in words) and english not in _IN_ANOTHER_SENSE
    ]
    assert not wrong


def test_every_finding_and_refusal_has_a_code():
    """After a new message: a row for it in docs/messages.md or docs/codes/, in both languages, then make messages."""
    assert {name: messages for name, messages in codes.without_code().items() if messages} == {}


# What check says of the mistakes that newcomers make most, put together as it is printed.
MISTAKES = [
    getattr(one, "values", one)[-1]
    for test in (
        test_mistakes.test_a_typical_mistake_is_one_message_with_the_remedy,
        test_mistakes.test_a_mistake_in_a_platform_is_told_in_its_place_and_not_again_for_every_site,
    )
    for one in test.pytestmark[0].args[1]
]
_ENGLISH = re.compile(r"[a-z]+( [a-z]+){2,}")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|\{[^}]*\}")


@pytest.mark.parametrize("text", MISTAKES)
def test_a_typical_mistake_has_a_code_and_no_english_sentence_in_chinese(text):
    assert code(text)
    assert not _ENGLISH.search(_QUOTED.sub("", _chinese(text)))


_chinese = Translation(catalogue.chinese(), catalogue.counts())


def test_what_explain_knows_is_what_the_guide_says():
    assert json.loads(codes.as_json()) == json.loads(codes.FILE.read_text())


def test_what_is_no_message_or_part_of_one_is_still_there():
    lists = tomllib.loads(catalogues.LISTS.read_text())
    there = {message.id for expected in EXPECTED.values() for message in expected}
    raw = {catalogues.as_message(text) for _, path in catalogues.files() for text in catalogues.texts(path)}
    assert set(lists["parts"]) <= there
    assert set(lists["no_messages"]) <= raw
    assert not set(lists["parts"]) & set(codes.codes())
