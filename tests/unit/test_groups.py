"""Groups of an inventory that pyinfra would leave out or misread: each is an error that says what is right."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from gateway.cli.main import main
from gateway.fleet.loading import load

from .conftest import REPO

GOOD = 'wanxiao_prod = [("h1", {"sites": [{"domain": "wx.a.edu.cn", "edge": "slb"}]})]\n'
DATA = '{"sites": [{"domain": "wx.b.edu.cn", "edge": "slb"}]}'
RIGHT = 'right would be [("203.0.113.10", {"sites": [...]})]'


@pytest.fixture
def errors(tmp_path, monkeypatch):
    """Loads an inventory of this text beside a good group: its hosts, and its errors as an operator reads them."""
    monkeypatch.chdir(REPO)

    def run(text, **options):
        # pyinfra keeps compiled inventories by name for the length of a process
        path = tmp_path / f"groups{len(list(tmp_path.iterdir()))}.py"
        path.write_text(GOOD + text)
        fleet = load(str(path), **options)
        wrong = [str(problem) for problem in fleet.problems if problem.severity == "error"]
        return [host.name for host in fleet.hosts], wrong

    return run


@pytest.mark.parametrize(
    "value",
    [
        f'["h2", {DATA}]',
        '["h2", {"site": []}]',
        f'[["h2", {DATA}]]',
        f'[("h3", {DATA}), ["h2", {DATA}]]',
        f'[{{"h2": {DATA}}}]',
        f'("h2", {DATA}),',
        f'("h3", {DATA}), ("h2", {DATA})',
        f'{{"h2": {DATA}}}',
        f'("h2", {DATA})',
        # under the name of a platform's group hosts are meant, whatever it looks like
        '[{"domain": "wx.b.edu.cn", "edge": "slb"}]',
        '"h2"',
    ],
)
def test_a_group_that_would_lose_its_hosts_is_an_error(errors, value):
    hosts, (problem,) = errors(f"wanxiao_test = {value}\n")
    assert problem.startswith("wanxiao_test: ")
    assert RIGHT in problem
    assert "h" not in hosts


def test_the_other_groups_are_checked_as_well(errors):
    _, wrong = errors(f'wanxiao_test = ["h2", {DATA}]\nbkitsm = [("h3", {{"sites": 5}})]\n')
    assert [text.partition(":")[0] for text in wrong] == ["wanxiao_test", "h3"]


@pytest.mark.parametrize(
    "value",
    ["[()]", '[("h2",)]', '[("", {})]', '[""]', "[(5, {})]", '[("h2", None)]', '[("h2", [])]', '[("h2", {}, {})]'],
)
def test_an_entry_that_is_no_host_is_an_error_with_its_place(errors, value):
    _, wrong = errors(f"wanxiao_test = {value}\n")
    assert wrong[0].startswith("wanxiao_test[0]: ")
    assert 'right would be ("203.0.113.10", {"sites": [...]})' in wrong[0]


@pytest.mark.parametrize("value", ["()", "(5,)", '("slb", "tls")', '(["h2"],)', '(["h2"], None)', "None, {}"])
def test_a_tuple_that_is_no_group_is_an_error(errors, value):
    _, (problem,) = errors(f"more = {value}\n")
    assert problem.startswith("more: ")
    assert RIGHT in problem
    assert 'a name that starts with "_"' in problem


@pytest.mark.parametrize(
    "text",
    [
        f'wanxiao_test = [("h2", {DATA})]',
        f'wanxiao_test = ([("h2", {DATA})], {{"ssh_user": "ops"}})',
        f'wanxiao_test = (("h2",), {DATA})',
        f'_h2 = ["h2", {DATA}]\nwanxiao_test = [tuple(_h2)]',
        f'PAIRS = [["h2", {DATA}]]\nwanxiao_test = [tuple(_pair) for _pair in PAIRS]',
        f'BY_NAME = {{"h2": {DATA}}}\nwanxiao_test = list(BY_NAME.items())',
        f'wanxiao_test = []\nmore = [("h2", {{**{DATA}, "platform": "wanxiao_test"}})]',
    ],
)
def test_what_pyinfra_reads_is_left_alone(errors, text):
    assert errors(f"{text}\n") == (["h1", "h2"], [])


@pytest.mark.parametrize(
    "text",
    [
        "PORTS = [80, 443]",
        'SITES = [{"domain": "wx.b.edu.cn", "edge": "slb", "wecom": {"flag": "x"}}]',
        'SETTINGS = {"a": {"b": 1}, "sites": {}}',
        "LOOP = [1]\nLOOP.append(LOOP)",
    ],
)
def test_what_nobody_takes_for_hosts_may_stay(errors, text):
    assert errors(f"{text}\n") == (["h1"], [])


def test_a_lost_group_is_told_to_whoever_asks_for_it(errors):
    _, (problem,) = errors(f'wanxiao_test = ["h2", {DATA}]\n', limit=["h2"])
    assert problem.startswith("wanxiao_test: ")


def test_an_inventory_is_not_run_more_often_for_it(errors, tmp_path):
    errors(f"import pathlib as _p\n(_f := _p.Path({str(tmp_path / 'runs')!r})).open('a').write('x')\n")
    assert (tmp_path / "runs").read_text() == "xx"


@pytest.mark.parametrize("inventory", ["h1,,h2", "a..b"])
def test_a_name_on_the_command_line_that_is_none_is_one_message(monkeypatch, capfd, inventory):
    monkeypatch.chdir(REPO)
    done = CliRunner().invoke(main, ["check", inventory])
    assert done.exit_code == 1
    assert done.stderr.startswith(f"error: {inventory}: no hosts can be read from it; right would be")
    assert "Traceback" not in capfd.readouterr().err


def test_a_host_in_groups_of_two_platforms_is_an_error(errors):
    hosts, wrong = errors('wanxiao_test = ["h1"]\n')
    assert hosts == []
    assert wrong == [
        'h1: platform: is "wanxiao_prod" in the group wanxiao_prod and "wanxiao_test" in wanxiao_test; name the host '
        'in one of them only (the file\'s own name is a group too), or give each of its sites its own "platform"'
    ]
    assert errors('bkitsm = ["h4"]\nwanxiao_test = ["h1"]\n', limit=["h4"])[1][0].startswith("h4: sites")


@pytest.mark.parametrize(
    ("data", "group"),
    [
        ('"sites": [{"domain": "wx.b.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}]', "wanxiao_test"),
        ('"platform": "wanxiao_prod", "sites": [{"domain": "wx.b.edu.cn", "edge": "slb"}]', "wanxiao_test"),
        ('"sites": [{"domain": "wx.b.edu.cn", "edge": "slb"}]', "canary"),
    ],
)
def test_a_host_in_two_groups_is_fine_where_its_platforms_are_clear(errors, data, group):
    text = f'wanxiao_prod = [("h2", {{{data}}})]\n{group} = ["h2"]\n'
    assert errors(text) == (["h2"], [])


def test_the_files_own_group_counts(tmp_path, monkeypatch):
    """pyinfra lets it win over the list that the host stands in."""
    monkeypatch.chdir(REPO)
    path = tmp_path / "wanxiao_test.py"
    path.write_text(GOOD)
    (problem,) = [one for one in load(str(path)).problems if one.severity == "error"]
    assert 'is "wanxiao_prod" in the group wanxiao_prod and "wanxiao_test" in wanxiao_test' in problem.text
