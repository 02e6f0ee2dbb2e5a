"""An entry is added as those beside it are written, and not a byte of the file changes besides."""

from __future__ import annotations

import pytest

from gateway.editing import entry_text
from gateway.editing.inventory_code import Code, TooCleverError

NEW = {"domain": "new.edu.cn", "edge": "slb"}
LONG = {"domain": "new.edu.cn", "edge": "slb", "slb_cidrs": [f"10.{one}.0.0/16" for one in range(6)]}


def _with_site(source, entry=NEW, host="h1"):
    code = Code("prod.py", source.encode())
    return code.with_site(host, entry_text.site(entry, code.quote, code.newline)).decode()


def _with_host(source, group="g", entry=NEW):
    code = Code("prod.py", source.encode())
    return code.with_host(group, entry_text.host("h2", entry, code.quote, code.newline)).decode()


# By the way of writing: the file, with ADDED where the new site has to be and nothing else changes.
SITES = {
    "a site a line, with commas": (
        'g = [\n    ("h1", {"sites": [\n        {"domain": "a.edu.cn", "edge": "slb"},\nADDED    ]}),\n]\n',
        '        {"domain": "new.edu.cn", "edge": "slb"},\n',
    ),
    "each bracket on its own line, and an annotation": (
        'g: Hosts = [\n  (\n    "h1",\n    {\n      "sites": [\n        {"domain": "a.edu.cn"},  # A\n'
        "        # below: more\nADDED      ],\n    },\n  ),\n]\n",
        '        {"domain": "new.edu.cn", "edge": "slb"},\n',
    ),
    "a host a line": (
        'g = [\n    ("h1", {"sites": [{"domain": "a.edu.cn", "edge": "slb"}ADDED]}),\n]\n',
        ', {"domain": "new.edu.cn", "edge": "slb"}',
    ),
    "a host a line, with a comma": (
        'g = [("h1", {"sites": [{"domain": "a"},ADDED]})]\n',
        ' {"domain": "new.edu.cn", "edge": "slb"},',
    ),
    "sites below each other, the bracket behind the last": (
        'g = [("h1", {"sites": [{"domain": "a.edu.cn"},\n                       {"domain": "b.edu.cn"}ADDED]})]\n',
        ',\n                       {"domain": "new.edu.cn", "edge": "slb"}',
    ),
    "no site yet": ('g = [("h1", {"sites": [ADDED]})]\n', '{"domain": "new.edu.cn", "edge": "slb"}'),
    "no site but a comment": (
        'g = [\n    ("h1", {"sites": [\n        # none yet\nADDED    ]}),\n]\n',
        '        {"domain": "new.edu.cn", "edge": "slb"},\n',
    ),
    "single quotes, tabs, a second host, a pair of hosts and data": (
        "g = ([\n\t('h0', {'sites': []}),\n\t('h1', {'sites': [\n\t\t{'domain': 'a.edu.cn'},\nADDED\t]}),\n], "
        "{'x': 1})\n",
        "\t\t{'domain': 'new.edu.cn', 'edge': 'slb'},\n",
    ),
    "lines of Windows": (
        'g = [\r\n    ("h1", {"sites": [\r\n        {"domain": "a.edu.cn"},\r\nADDED    ]}),\r\n]\r\n',
        '        {"domain": "new.edu.cn", "edge": "slb"},\r\n',
    ),
    "Chinese, no end of the last line": (
        '# 一所学校\ng = [("h1", {"名": "校", "sites": [{"domain": "a.edu.cn"}ADDED]})]  # 校',
        ', {"domain": "new.edu.cn", "edge": "slb"}',
    ),
    "keys out of a variable, and others' sites by a function": (
        'g = [\n    ("h0", {"sites": _sites("slb")}),\n    ("h1", {**_ssh, "sites": [_site("a")ADDED]}),\n]\n',
        ', {"domain": "new.edu.cn", "edge": "slb"}',
    ),
    "the list is a variable's": (
        '_all = [\n    ("h1", {"sites": [\n        {"domain": "a.edu.cn"},\nADDED    ]}),\n]\ng = _all\n',
        '        {"domain": "new.edu.cn", "edge": "slb"},\n',
    ),
}


@pytest.mark.parametrize(("source", "added"), SITES.values(), ids=SITES)
def test_a_site_is_added_in_the_way_of_the_file(source, added):
    assert _with_site(source.replace("ADDED", "")) == source.replace("ADDED", added)


def test_a_list_without_a_comma_behind_the_last_gets_none_behind_the_new_one():
    source = 'g = [\n    ("h1", {"sites": [\n        {"domain": "a.edu.cn"}  # A\n    ]})\n]\n'
    site = '        {"domain": "new.edu.cn", "edge": "slb"}\n'
    assert _with_site(source) == source.replace("}  # A\n", "},  # A\n" + site)


def test_what_is_too_long_for_a_line_gets_several():
    source = 'g = [\n    ("h1", {"sites": [\n        {"domain": "a.edu.cn"},\n    ]}),\n]\n'
    networks = ", ".join(f'"{one}"' for one in LONG["slb_cidrs"])
    lines = ["{", '    "domain": "new.edu.cn",', '    "edge": "slb",', f'    "slb_cidrs": [{networks}],', "},"]
    added = "".join(f"        {line}\n" for line in lines)
    assert _with_site(source, LONG) == source.replace("    ]}),\n", f"{added}    ]}}),\n")


def test_on_a_line_that_would_be_too_long_the_new_one_goes_below_the_first():
    source = f'g = [("h1", {{"sites": [{{"domain": "{"a" * 60}.edu.cn", "edge": "slb"}}]}})]\n'
    added = f',\n{" " * 23}{{"domain": "new.edu.cn", "edge": "slb"}}'
    assert _with_site(source) == source.replace("]})]", f"{added}]}})]")


LINE = '("h2", {"sites": [{"domain": "new.edu.cn", "edge": "slb"}]})'
HOSTS = {
    "a host a line": ('g = [\n    ("h1", {"sites": []}),\nADDED]\n', f"    {LINE},\n"),
    "on one line": ('g = [("h1", {"sites": []})ADDED]\n', f", {LINE}"),
    "its sites a line each": (
        'g = [\n  ("h1", {"sites": [\n    {"domain": "a.edu.cn"}\n  ]}),\nADDED]\n',
        '  ("h2", {"sites": [\n    {"domain": "new.edu.cn", "edge": "slb"},\n  ]}),\n',
    ),
    "none yet": (
        "g: Hosts = [ADDED]\n",
        '\n    (\n        "h2",\n        {\n            "sites": [\n'
        '                {"domain": "new.edu.cn", "edge": "slb"},\n            ]\n        },\n    ),\n',
    ),
    "names alone": ('g = [\n    "h1",\n    # more\nADDED]\nother = 1\n', f"    {LINE},\n"),
}


@pytest.mark.parametrize(("source", "added"), HOSTS.values(), ids=HOSTS)
def test_a_host_is_added_in_the_way_of_the_file(source, added):
    assert _with_host(source.replace("ADDED", "")) == source.replace("ADDED", added)


@pytest.mark.parametrize(
    ("before", "head"),
    [
        ("", "g = ["),
        ("x = 1", "x = 1\n\ng = ["),
        (
            "from gateway.entries import Hosts\n\nx: Hosts = []\n",
            "from gateway.entries import Hosts\n\nx: Hosts = []\n\ng: Hosts = [",
        ),
    ],
)
def test_a_new_list_goes_to_the_end(before, head):
    code = Code("prod.py", before.encode())
    text = code.with_list("g", entry_text.host("h2", NEW, code.quote, code.newline)).decode()
    assert text.startswith(f'{head}\n    (\n        "h2",\n')
    assert text.endswith("    ),\n]\n")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('g = [("h1", {"sites": [_s(n) for n in "ab"]})]', "prod.py:1: the sites of h1: is a comprehension"),
        ('\ng = [("h1", {"sites": _sites()})]', "prod.py:2: the sites of h1: is what a function returns"),
        ('g = [("h1", {"sites": SITES})]', "the sites of h1: is a variable"),
        ('g = [("h1", {"sites": ONE + [{}]})]', "the sites of h1: is put together from several"),
        ('g = [("h1", {"sites": [*MORE]})]', "the sites of h1: has another list in it (*)"),
        ('g = [("h1", {"sites": ()})]', "the sites of h1: is a tuple"),
        ('g = [("h1", dict(sites=[]))]', "the data of h1 is not written out as a dict"),
        ('g = [("h1", {**_more})]', 'the data of h1 has no "sites" that is written there'),
        ('g = ["h1"]', 'h1 stands there without sites; right would be ("h1", {"sites": []})'),
        ('g = [(name, {"sites": []}) for name in ("h1", "h2")]', "h1 is in no list that is written out"),
        ("from .others import g", "h1 is in no list that is written out"),
    ],
)
def test_what_only_its_author_can_add_to_is_refused_with_place_and_remedy(source, said):
    with pytest.raises(TooCleverError) as refused:
        _with_site(source)
    assert said in str(refused.value)
    assert "write the " in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("g = [h for h in ALL]", "prod.py:1: g: is a comprehension"),
        ("g = make()", "prod.py:1: g: is what a function returns"),
        ("from .others import g", "prod.py: g is not written out as one list"),
        ("if True:\n    g = []", "prod.py: g is not written out as one list"),
        ("g = [*ALL]", "prod.py:1: g: has another list in it (*)"),
    ],
)
def test_a_list_that_code_makes_takes_no_host(source, said):
    with pytest.raises(TooCleverError) as refused:
        _with_host(source)
    assert said in str(refused.value)


def test_a_file_that_is_no_python_is_refused():
    with pytest.raises(TooCleverError, match="cannot be read as Python"):
        Code("prod.py", b"g = [")
