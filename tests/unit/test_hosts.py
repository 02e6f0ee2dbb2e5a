"""What hosts tells of a host before the first deploy, and what it would keep one from."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

from gateway.cli import output
from gateway.cli.main import main
from gateway.deploys import host_words, objections
from gateway.deploys.host_report import HostReport, Nginx, Program, Site, reported
from gateway.deploys.losses import SITES

from .conftest import REPO
from .test_neighbours import dump
from .test_objections import BARE, SLB, THERE, conf, host, known

__all__ = ["host"]

SYSTEM = {"system": "Debian GNU/Linux 12 (bookworm)"}
BUILT = "--with-http_ssl_module --with-http_v2_module --with-http_realip_module --with-stream=dynamic"
DEBIAN = THERE | {
    **SYSTEM,
    "openssl": "3.0.17",
    "built": f"{BUILT} --with-stream_ssl_preread_module --without-http_geo_module",
    "package": "nginx 1.22.1-9+deb12u2 Debian Nginx Maintainers <team@tracker.debian.org>",
}
PANEL = "/www/server/nginx/sbin/nginx"
PANELS_MODULES = ("http_ssl_module", "http_v2_module", "stream", "stream_ssl_preread_module")
# Of a hosting panel, as it runs on a host that has no nginx of a package.
PANELS = BARE | {
    **SYSTEM,
    f"nginx:{PANEL}": "118 nginx.service nginx/1.24.0",
    f"built:{PANEL}": f"1.1.1 {' '.join(f'--with-{name}' for name in PANELS_MODULES)}",
    f"dump:{PANEL}": dump(
        {
            "/www/server/nginx/conf/nginx.conf": "http { include vhost/*.conf; }",
            "/www/server/nginx/conf/vhost/a.conf": """
                server { listen 80; listen [::]:80; server_name school.example www.school.example; }
                server { listen 443 ssl; server_name school.example www.school.example; }""",
        }
    ),
    "listen:00000000:0050": "118 nginx.service nginx",
}


def _told(report: HostReport) -> list[str]:
    return [": ".join(row) for row in host_words.rows(report)]


def test_a_bare_host(host):
    report = reported(host(SLB), known(BARE, **SYSTEM))
    assert report.ready
    assert host_words.heading(report).endswith(": nothing is in the way of a deploy")
    assert _told(report) == [
        "system: Debian GNU/Linux 12 (bookworm)",
        "nginx: none of a package; a deploy would install 1.22.1",
        "gateway: no release yet",
        "listens: sshd (ssh.service) on *:22",
    ]


def test_an_apt_that_has_read_no_lists_yet_is_told_as_that(host):
    texts = _told(reported(host(SLB), known(BARE, candidate="(none)")))
    assert "nginx: none of a package; its package manager knows of none yet, and a deploy has it look again" in texts


def test_debian_s_nginx_with_a_site_and_a_program_beside_it(host):
    theirs = "server { listen 80; server_name a.example; } server { listen 10.0.0.9:8080; }"
    report = reported(
        host(SLB),
        known(DEBIAN, dump=conf(theirs), **{"listen:0100007F:0CEA": "40 mariadb.service mariadbd"}),
    )
    assert report.nginx == Nginx(
        program="/usr/sbin/nginx",
        version="1.22.1",
        tls="OpenSSL 3.0.17",
        source="package nginx 1.22.1-9+deb12u2 (Debian Nginx Maintainers)",
        runs="nginx.service",
        modules=("ssl", "http2", "realip", "stream (dynamic)", "ssl_preread"),
        without=("http_geo_module",),
    )
    assert report.programs == (
        Program("sshd", "ssh.service", ("*:22",)),
        Program("mariadbd", "mariadb.service", ("127.0.0.1:3306",)),
    )
    file = "/etc/nginx/sites-enabled/theirs"
    assert report.sites == (
        Site(("a.example",), ("80",), file, "/usr/sbin/nginx"),
        Site((), ("10.0.0.9:8080",), file, "/usr/sbin/nginx"),
    )
    told = _told(report)
    assert f"site: a.example on 80 in {file}" in told
    assert f"site: without a name on 10.0.0.9:8080 in {file}" in told
    assert "modules: ssl, http2, realip, stream (dynamic), ssl_preread; without http_geo_module" in told


def test_a_panel_s_nginx_and_its_sites(host):
    wanted, seen = host(SLB), known(PANELS)
    report = reported(wanted, seen)
    assert not report.ready
    assert list(report.in_the_way) == objections.objections(wanted, seen) != []
    (nginx,) = report.other_nginx
    assert (nginx.version, nginx.tls, nginx.runs) == ("1.24.0", "OpenSSL 1.1.1", "nginx.service")
    assert nginx.source == "of a hosting panel (BT or aaPanel)"
    assert nginx.without == ("realip",)
    (site,) = report.sites
    assert site.names == ("school.example", "www.school.example")
    assert site.listens == ("80", "443")
    told = _told(report)
    assert "site: school.example, www.school.example on 80, 443 in /www/server/nginx/conf/vhost/a.conf" in told
    assert f"in the way: {report.in_the_way[0]}" in told


@pytest.mark.parametrize(
    ("words", "tls", "told"),
    [("- LibreSSL --with-http_ssl_module", "LibreSSL", "1.24.0 with LibreSSL"), ("- ", "", "1.24.0, from source")],
)
def test_another_tls_library_or_none_is_told(host, words, tls, told):
    own = "/usr/local/nginx/sbin/nginx"
    seen = known(BARE, **{f"nginx:{own}": "0 - nginx/1.24.0", f"built:{own}": words})
    report = reported(host(SLB), seen)
    assert report.other_nginx[0].tls == tls
    (text,) = [text for text in _told(report) if text.startswith("other nginx: ")]
    assert told in text
    assert text.endswith(", does not run")


def test_what_a_deploy_would_only_tell_is_a_note(host):
    seen = known(DEBIAN, dump=conf(), unresolved="hub.example", **{"unit:UnitFileState": "disabled"})
    report = reported(host(SLB), seen)
    assert report.ready
    assert list(report.remarks) == [*objections.announcements(seen), *objections.remarks(host(SLB), seen)]
    assert len([text for text in _told(report) if text.startswith("note: ")]) == 2


def test_what_would_be_taken_away_is_in_the_way(host):
    report = reported(host(SLB), known(DEBIAN, dump=conf(), current="releases/aaaa", product="0.2.0"), ["sites go"])
    assert not report.ready
    assert {"in the way: sites go", "gateway: release aaaa, deployed by version 0.2.0"} <= set(_told(report))


def test_of_many_sites_the_first_are_told_and_how_many_more(host):
    theirs = "".join(f"server {{ listen 80; server_name n{number}.example; }}" for number in range(23))
    report = reported(host(SLB), known(DEBIAN, dump=conf(theirs)))
    texts = [text for text in _told(report) if text.startswith("site: ")]
    assert (len(texts), texts[-1]) == (21, "site: and 3 more; --json has them all")
    assert len(report.as_data()["sites"]) == 23


def test_names_that_could_steer_a_terminal_do_not(host):
    report = reported(host(SLB), known(BARE, **{"listen:00000000:1F90": "9 - a\x1b[2J"}))
    assert "listens: a?[2J on *:8080" in _told(report)


def test_a_host_that_was_not_read_has_its_reason_alone():
    report = HostReport("gw-a", "10.0.0.5", reachable=False, problem="unreachable: no route")
    assert host_words.heading(report) == "gw-a (10.0.0.5): unreachable: no route"
    assert host_words.rows(report) == []
    assert not report.ready


def test_on_a_terminal_a_line_is_folded_and_in_a_pipe_it_is_not(monkeypatch, capsys):
    text = "theirs.example on 80 in /etc/nginx/sites-enabled/theirs"
    output.say(text, label="site", before=2, folded=4)
    assert capsys.readouterr().out == f"  site: {text}\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "34")
    output.say(text, label="site", before=2, folded=4)
    assert capsys.readouterr().out == "  site: theirs.example on 80 in\n    /etc/nginx/sites-enabled/theirs\n"


# The command


@pytest.fixture
def hosts(tmp_path, monkeypatch):
    """Runs the command on an inventory of hosts that answer `seen`, or that nothing listens at."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "group_data").symlink_to(REPO / "group_data")

    def run(*options, seen=None, **entry):
        answers = {"apt-cache policy": "".join(f"{key} {value}\n" for key, value in (seen or {}).items())}
        answers["case $2 in"] = f"source 644 {'0' * 64} nginx.conf\ndomain gone.edu.cn\n"
        fake = {"fake_delay": 0, "fake_delay_jitter": 0, "fake_responses": answers}
        name = "@fake/one" if seen else "h1"
        data = {"ssh_hostname": "127.0.0.1", "ssh_port": 1, "sites": [SLB], **fake, **entry}
        # by its whole name: pyinfra remembers files by theirs
        path = tmp_path / "own.py"
        path.write_text(f"wanxiao_prod = [({name!r}, {data!r})]\n")
        return CliRunner().invoke(main, ["hosts", str(path), *options])

    return run


def test_a_host_that_is_ready(hosts):
    done = hosts(seen=BARE)
    assert done.exit_code == 0, done.output
    assert "@fake/one (127.0.0.1): nothing is in the way of a deploy\n  system: " in done.stdout


def test_a_host_that_is_not(hosts):
    done = hosts("--json", seen=PANELS)
    assert done.exit_code == 2
    (one,) = json.loads(done.stdout)["hosts"]
    assert not one["ready"]
    assert one["nginx"] is None
    assert one["would_install"] == "1.22.1"
    assert one["other_nginx"][0]["program"] == PANEL
    assert one["sites"][0]["names"] == ["school.example", "www.school.example"]
    assert one["programs"] == [
        {"name": "sshd", "unit": "ssh.service", "listens": ["*:22"]},
        {"name": "nginx", "unit": "nginx.service", "listens": ["*:80"]},
    ]
    assert len(one["in_the_way"]) == 1


def test_a_site_that_the_entry_no_longer_has_would_be_lost(hosts):
    seen = DEBIAN | {"current": "releases/aaaa", "activated": "aaaa", "dump": conf()}
    done = hosts("--json", seen=seen)
    assert done.exit_code == 2
    (one,) = json.loads(done.stdout)["hosts"]
    assert any("gone.edu.cn" in text and SITES in text for text in one["in_the_way"])


def test_a_host_that_cannot_be_reached(hosts):
    done = hosts()
    assert done.exit_code == 2
    assert "h1 (127.0.0.1): unreachable: nothing listens at 127.0.0.1, port 1; is sshd running there" in done.stdout


def test_a_certificate_that_is_not_there_yet_is_a_warning(hosts):
    done = hosts("--json", seen=BARE, sites=[{"domain": "b.edu.cn", "edge": "tls"}])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["hosts"][0]["ready"]
    assert {(one["severity"], one["domain"], one["field"]) for one in report["problems"]} == {
        ("warning", "b.edu.cn", "cert")
    }


def test_a_mistake_in_an_entry_is_told_and_the_exit_code_is_1(hosts):
    done = hosts(seen=BARE, sites=[{**SLB, "slb_cidr": []}])
    assert done.exit_code == 1
    assert 'did you mean "slb_cidrs"?' in done.stderr
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_an_inventory_that_is_not_there_is_told_and_the_exit_code_is_1(hosts):
    done = CliRunner().invoke(main, ["hosts", "none.py"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "none.py" in done.stderr
