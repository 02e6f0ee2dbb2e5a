"""Shards of a fleet: everybody in one, evenly, the same each time, and nodes of a site apart."""

from __future__ import annotations

import json
import random
from itertools import combinations

import pytest
from click.testing import CliRunner

from gateway.cli.main import main
from gateway.fleet.host import Host
from gateway.fleet.parsing import parse_host
from gateway.fleet.shards import shards

from .conftest import PLATFORMS


@pytest.fixture
def host(files):
    def make(name: str, *domains: str) -> Host:
        sites = [{"domain": domain, "edge": "slb", "platform": "wanxiao_prod"} for domain in domains]
        made, problems = parse_host(name, {"platforms": PLATFORMS, "sites": sites}, files)
        assert made, problems
        return made

    return make


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 12])
@pytest.mark.parametrize("number", [0, 1, 5, 8, 23])
def test_every_host_is_in_one_shard_and_sizes_differ_by_one_at_most(host, number, count):
    hosts = [host(f"h{each}", f"wx{each}.a.edu.cn") for each in range(number)]
    found = shards(hosts, count)
    assert len(found) == count
    assert sorted(one.name for part in found for one in part) == sorted(one.name for one in hosts)
    assert max(map(len, found)) - min(map(len, found)) <= 1


def test_they_are_the_same_in_whatever_order_the_inventory_is(host):
    hosts = [host(f"h{each}", f"wx{each % 9}.a.edu.cn") for each in range(20)]
    names = [[one.name for one in part] for part in shards(hosts, 3)]
    for seed in range(5):
        mixed = random.Random(seed).sample(hosts, len(hosts))  # noqa: S311
        assert [[one.name for one in part] for part in shards(mixed, 3)] == names


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_two_nodes_of_a_site_are_never_in_one_shard(host, count):
    hosts = [host(f"h{each}", f"wx{each % 7}.a.edu.cn") for each in range(14)]
    hosts += [host(f"single{each}", f"one{each}.a.edu.cn") for each in range(5)]
    for part in shards(hosts, count):
        assert not any(_together(one, other) for one, other in combinations(part, 2))


def test_three_nodes_are_apart_where_there_are_three_shards(host):
    # the first one has the others begin in the middle of a round
    hosts = [host("a", "one.a.edu.cn"), *(host(f"h{each}", f"wx{each % 5}.a.edu.cn") for each in range(15))]
    for part in shards(hosts, 3):
        assert not any(_together(one, other) for one, other in combinations(part, 2))


def _together(one, other):
    return {site.domain for site in one.sites} & {site.domain for site in other.sites}


INVENTORY = """
wanxiao_prod = [
    (name, {"sites": [{"domain": domain, "edge": "slb", "slb_cidrs": ["10.0.0.0/24"]}]})
    for name, domain in [("n1", "wx.a.edu.cn"), ("n2", "wx.a.edu.cn"), ("n3", "wx.b.edu.cn")]
]
"""


def _shard(*arguments):
    return CliRunner().invoke(main, ["shard", *arguments])


def test_the_command_prints_a_host_a_line(inventory):
    path = inventory(INVENTORY)
    assert _shard(path, "1/2").stdout == "n1\nn3\n"
    assert _shard(path, "2/2").stdout == "n2\n"
    assert json.loads(_shard(path, "2/2", "--json").stdout) == {"hosts": ["n2"], "problems": []}


def test_a_shard_without_a_host_is_no_error(inventory):
    done = _shard(inventory(INVENTORY), "4/4")
    assert (done.exit_code, done.stdout) == (0, "")


@pytest.mark.parametrize("text", ["0/8", "9/8", "x", "1/0", "1", "1/2/3", "-1/8", "１/２", "1 / 8", ""])
def test_what_is_no_shard_is_one_sentence(inventory, text):
    done = _shard(inventory(INVENTORY), "--", text)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"error: {text}: is no shard; right would be 1/8 to 8/8 for eight of them\n"


def test_an_inventory_with_errors_has_no_shards(inventory):
    """A host that could not be read would be in none of them, and nobody would deploy it."""
    path = inventory(INVENTORY.replace('"wx.b.edu.cn"', '"wx_b.edu.cn"'))
    done = _shard(path, "1/2")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "n3: " in done.stderr
    assert json.loads(_shard(path, "1/2", "--json").stdout)["hosts"] == []
