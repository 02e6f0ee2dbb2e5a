"""Which version of the product is the newer one, and what the changelog says of those between two."""

from __future__ import annotations

import re

import pytest

from gateway import product
from gateway.deploys.versions import News, between, newer

CHANGELOG = """# Changelog · 更新记录

What an operator notices. 运维。

## [Unreleased · 未发布]

To come. 将来。

### What has changed · 变化

- Four. 四。

## [0.10.0] - 2027-02-01

The tenth, with 3 things: a, b. 第十版。

### When you upgrade · 升级时要做的

- One. 一。
- Two. 二。

### What has changed · 变化

- Three. 三。

## [0.3.0] - 2027-01-01

- No headline here. 没有。

## [0.2.0] - 2026-11-26

The second. 第二版。
"""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.10.0", "0.9.0"),
        ("0.2.1", "0.2.0"),
        ("1.0", "0.99.99"),
        ("0.2.0.1", "0.2"),
        ("0.3.0", "0.3.0rc1"),
        ("0.3.0rc2", "0.3.0rc1"),
        ("0.3.0rc1", "0.3.0b9"),
        ("0.3.0b1", "0.3.0a1"),
        ("0.3.0a1", "0.3.0.dev7"),
        ("0.3.0.dev0", "0.2.9"),
        ("0.3.0.post1", "0.3.0"),
    ],
)
def test_of_two_versions_one_is_newer(one, other):
    assert newer(one, other)
    assert not newer(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [("0.2.0", "0.2"), ("0.2.0+school.1", "0.2.0"), ("0.2.0", "0.2.0"), ("", "0.2.0"), ("x", "0.2.0")]
)
def test_neither_is_newer_where_they_are_the_same_or_no_versions(one, other):
    assert not newer(one, other)
    assert not newer(other, one)


TO_COME = News("unreleased", "To come.", 0)
TENTH = News("0.10.0", "The tenth, with 3 things: a, b.", 2)
SECOND = News("0.2.0", "The second.", 0)


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("0.2.0", "0.10.0", [TO_COME, TENTH]),
        ("0.2.0", "0.9.0", [TO_COME]),
        # earlier versions kept none
        ("", "0.10.0", [TO_COME, TENTH, SECOND]),
        ("", "0.2.0", [TO_COME, SECOND]),
    ],
)
def test_every_version_between_two_has_a_line(before, now, told):
    assert between(CHANGELOG, before, now) == told


def test_of_a_changelog_that_is_not_there_nothing_is_told():
    assert between("", "0.1.0", "0.2.0") == []


def test_every_version_of_the_changelog_has_a_line_that_is_short_in_both_languages():
    text = product.changelog()
    versions = [version.lower() for version in re.findall(r"(?m)^## \[([^]\s]+)", text)]
    told = between(text, "0.0.1", "99")
    # what is to come has a line as soon as there is something
    assert [one.version for one in told] in (versions, versions[1:])
    for one in told:
        assert 10 < len(one.headline) <= 100
        line = next(line for line in text.splitlines() if line.startswith(one.headline))
        assert re.search(r"[\u4e00-\u9fff]", line)


def test_an_upgrade_has_its_things_to_do_counted():
    of_version = product.changelog().partition("\n## [0.3.0]")[2]
    section = of_version.partition("### When you upgrade")[2].partition("\n### ")[0]
    assert between(product.changelog(), "0.2.0", "0.3.0")[-1].to_do == section.count("\n- ") > 3
