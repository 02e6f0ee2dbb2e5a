"""What a release says of its host, written and read back by this version and by others."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.deploys.drift import Observation, judged
from gateway.deploys.health import Health
from gateway.deploys.neighbours import Neighbours
from gateway.deploys.state import HostState
from gateway.nginx import built_for, release
from gateway.nginx.build import Build
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

OLD = Build(Version((1, 22, 1)), openssl=Version((3, 0, 17)), group="www-data")


def test_what_is_written_is_read_back():
    for build in (OLD, Build(Version((1, 18, 0)), ipv6=False, foreign_limits=True)):
        line = built_for.text(build)
        assert line.count("\n") == 1
        assert built_for.read(line, Build) == build


def test_another_version_s_facts_are_passed_over_and_missing_ones_are_as_if_not_said():
    said = json.loads(built_for.text(OLD))
    assert built_for.read(json.dumps({**said, "new_fact": [1]}), Build) == OLD
    del said["group"]
    assert built_for.read(json.dumps(said), Build) == replace(OLD, group=None)
    assert built_for.read(json.dumps({**said, "ipv6": "perhaps"}), Build) == replace(OLD, group=None)


@pytest.mark.parametrize("line", ["", "{", "[]", "3", "{}", '{"version": "none"}', '{"version": 3}'])
def test_what_is_no_such_file_says_nothing(line):
    assert built_for.read(line, Build) is None


def test_every_change_of_the_host_has_a_sentence():
    new = Build(Version((1, 26, 3)), False, OLD.foreign_defaults, Version((3, 5, 1)), True, None, True)
    assert dict(built_for.changes(OLD, new)) == {
        "version": "nginx was upgraded from 1.22.1 to 1.26.3",
        "openssl": "OpenSSL was upgraded from 3.0.17 to 3.5.1",
        "ipv6": "the host no longer has IPv6",
        "foreign_limits": "another file of this host now sets worker_rlimit_nofile",
        "foreign_variables": "another file of this host now sets variables_hash_max_size",
        "group": "nginx's group is now shared or unknown, it was www-data",
    }
    assert dict(built_for.changes(new, OLD))["version"] == "nginx was downgraded from 1.26.3 to 1.22.1"


@pytest.fixture
def host(parse):
    host, problems = parse({"domain": "a.b.edu.cn", "edge": "slb", "platform": "wanxiao_prod"})
    assert problems == []
    return host


def _why(host, before: Build, current: str = "", **now) -> str:
    """Of a host whose release was rendered for `before`."""
    known = HostState(current=current or release.build(tree(host, before)).id, ipv6=True, **now)
    return _problem(host, known, built_for.text(before))


def _problem(host, known: HostState, build: str) -> str:
    return judged(host, Observation(known, Health(build=build), "f" * 16), {}, datetime.now(UTC)).problem


def test_an_upgraded_nginx_is_told_as_one(host):
    told = _why(host, OLD, installed=Version((1, 26, 3)), openssl=OLD.openssl, neighbours=Neighbours(group="www-data"))
    assert "the inventory has not changed since release " in told
    assert told.endswith(", but nginx was upgraded from 1.22.1 to 1.26.3; deploy")


def test_of_several_facts_those_are_told_that_make_the_difference(host):
    """nginx's group matters to no site behind a load balancer."""
    told = _why(host, OLD, installed=Version((1, 26, 3)), openssl=OLD.openssl, neighbours=Neighbours(group="nginx"))
    assert told.endswith(", but nginx was upgraded from 1.22.1 to 1.26.3; deploy")


def test_a_changed_inventory_is_told_as_one_whatever_else_changed(host):
    told = _why(host, OLD, current="0" * 16, installed=Version((1, 26, 3)))
    assert told == (
        "the inventory, its files or this checkout's templates have changed since release 0000000000000000; deploy"
    )


def test_an_own_template_that_fails_for_the_former_nginx_is_a_changed_one(host, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "templates" / "nginx").mkdir(parents=True)
    text = "{% if build.has('http2_directive') %}fine{% else %}{{ nothing }}{% endif %}"
    (tmp_path / "templates" / "nginx" / "site-slb.conf.j2").write_text(text)
    told = _why(host, OLD, current="0" * 16, installed=Version((1, 26, 3)))
    assert "this checkout's templates have changed since release 0000000000000000" in told


def test_a_rollback_is_told_as_one(host):
    known = HostState(current="aaaa", history=("aaaa", "bbbb"), installed=OLD.version)
    assert _problem(host, known, "").startswith("it was rolled back to release aaaa")


def test_an_older_release_does_not_say(host):
    known = HostState(current="bbbb", history=("aaaa", "bbbb"), installed=OLD.version)
    assert "has changed since release bbbb, or it was rolled back" in _problem(host, known, "")


def test_the_facts_of_the_host_are_in_the_release_and_not_in_its_name(host):
    built = release.build(tree(host, OLD))
    other = release.build(tree(host, replace(OLD, openssl=Version((3, 0, 18)))))
    assert built_for.read(built.files[release.BUILD].body.decode(), Build) == OLD
    assert (built.id, built.digest()) == (other.id, other.digest())
    assert built.files[release.BUILD].body != other.files[release.BUILD].body
