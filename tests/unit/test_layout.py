"""A host's nginx that is not Debian's: what a release has for it, and what its scripts are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.nginx import built_for, release
from gateway.nginx.build import Build
from gateway.nginx.layout import Layout, layout
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree
from gateway.onhost import scripts
from gateway.onhost.constants import ENTRIES, FOR_SCRIPTS

DEBIANS = Build(Version((1, 22, 1)))
SOURCE = Layout(
    program="/usr/local/nginx/sbin/nginx",
    main_file="/usr/local/nginx/conf/nginx.conf",
    unit="",
    entries=("/usr/local/nginx/conf/vhosts/zzz-wecom-gateway.conf",),
    error_log="/data/logs/error.log",
    user="www",
    bundle="/etc/pki/tls/certs/ca-bundle.crt",
    trust_folder="",
    rotated=False,
)


@pytest.fixture
def host(parse):
    return parse({"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"})[0]


def test_the_scripts_of_a_release_are_told_where_nginx_is(host):
    files = tree(host, replace(DEBIANS, layout=SOURCE))
    script = files["resolve.sh"].body.decode()
    assert "nginx_program=/usr/local/nginx/sbin/nginx\n" in script
    assert "/usr/sbin/nginx" not in script


def test_logs_are_rotated_by_the_release_where_nothing_else_does_it(host):
    ours, debians = tree(host, replace(DEBIANS, layout=SOURCE)), tree(host, DEBIANS)
    assert {"logrotate", "reopen.sh"} <= ours.keys()
    assert not {"logrotate", "reopen.sh"} & debians.keys()
    assert b"/var/log/nginx/wecom-gateway.*.log {" in ours["logrotate"].body


@pytest.mark.parametrize(
    ("folder", "verified_by"),
    [
        ("", "proxy_ssl_trusted_certificate /etc/pki/tls/certs/ca-bundle.crt;"),
        ("/etc/pki/hashed", "proxy_ssl_conf_command VerifyCAPath /etc/pki/hashed;"),
    ],
)
def test_upstreams_are_verified_with_the_system_s_own_trust_store(host, folder, verified_by):
    build = replace(DEBIANS, layout=replace(SOURCE, trust_folder=folder))
    assert verified_by in tree(host, build)["snippets/trust.conf"].body.decode()


def test_where_a_host_has_debian_s_a_release_keeps_its_name(host):
    """Whatever is found out about it, a host as the package made it is rendered for as before."""
    told = {"program": "/usr/sbin/nginx", "main_file": "/etc/nginx/nginx.conf", "options": "", "unit": "nginx.service"}
    found = layout({**told, "entries": " ".join(ENTRIES), "trust_folder": "/etc/ssl/certs"}, "www-data")
    assert found == Layout()
    assert release.build(tree(host, replace(DEBIANS, layout=found))).id == release.build(tree(host, DEBIANS)).id


def test_debian_s_places_are_those_that_scripts_have_anyway():
    told = dict(Layout().for_scripts())
    assert told == {name: FOR_SCRIPTS[name] for name in told}
    assert scripts.text("activate", Layout().for_scripts()) == scripts.text("activate")


def test_an_error_log_counts_that_is_a_file_of_its_own():
    known = {"error_log": "/built/in.log"}
    assert layout(known, None, "/data/logs/error.log").error_log == "/data/logs/error.log"
    for other in ("stderr", "syslog:server=10.0.0.1", "logs/error.log", None):
        assert layout(known, None, other).error_log == "/built/in.log"


def test_what_a_release_was_made_for_is_read_again():
    for build in (DEBIANS, replace(DEBIANS, layout=SOURCE)):
        assert built_for.read(built_for.text(build), Build) == build


def test_the_record_of_debian_s_says_no_more_than_it_did():
    """Releases on hosts were recorded without it."""
    assert "layout" not in built_for.text(DEBIANS)


def test_what_is_another_now_is_told():
    moved = replace(SOURCE, user="web", trust_folder="/x")
    ((name, told),) = built_for.changes(replace(DEBIANS, layout=SOURCE), replace(DEBIANS, layout=moved))
    assert name == "layout"
    assert told == "the host's nginx now has user web, trust folder /x, where it had user www, trust folder none"


def test_what_only_a_configuration_says_that_loads_changes_no_release(host):
    """Somebody breaks a file of theirs: who nginx's workers are and where it logs is not known then."""
    other = replace(SOURCE, error_log="/elsewhere/error.log", user="nobody")
    ids = {release.build(tree(host, replace(DEBIANS, layout=one))).id for one in (SOURCE, other)}
    assert len(ids) == 1
