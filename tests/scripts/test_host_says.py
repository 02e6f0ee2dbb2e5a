"""What a host says of itself is what a deploy and status read: the scripts that print it, on a host made of folders."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.deploys import health
from gateway.deploys.facts import GatewayState
from gateway.deploys.issued import Issued
from gateway.deploys.neighbours import ENTRIES
from gateway.deploys.objections import objections
from gateway.deploys.state import HostState
from gateway.nginx import release as releases
from gateway.nginx.release import File, Release
from gateway.nginx.tree import tree
from tests.unit.conftest import make_pair

from .host_stage import Stage

SITE = {"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}
UNIT = "LoadState=loaded\nFragmentPath=/lib/x\nSourcePath=\nUnitFileState=enabled\nActiveState=active\nMainPID=900\n"


@pytest.fixture
def host(tmp_path) -> Stage:
    """Debian's nginx runs there."""
    made = Stage(tmp_path / "host")
    made.install_nginx()
    (made.told / "active").touch()
    (made.told / "units").write_text(UNIT)
    return made


def _state(host: Stage) -> HostState:
    return GatewayState().process(host.says("state"))


@pytest.fixture
def deployed(host, parse) -> Release:
    """A release of one site in force there, rendered for what the host said of itself."""
    parsed, problems = parse(SITE)
    assert not problems
    files = dict(tree(parsed, _state(host).build)) | {"ports": File(b""), "upstreams": File(b"")}
    built = releases.build(files)
    assert host.publish(built).returncode == 0
    done = host.activate(built.id)
    assert done.returncode == 0, done.stderr
    return built


def test_a_host_on_which_a_deploy_has_nothing_to_do(host, deployed):
    known = _state(host)
    assert (str(known.installed), str(known.openssl)) == ("1.22.1", "3.0.17")
    assert known.current == known.activated == known.running == deployed.id
    assert known.history == (deployed.id,)
    assert known.digest == deployed.digest()
    assert known.entries == {ENTRIES[0]}
    assert known.missing == ("libnginx-mod-stream", "certbot", "mtail", "curl")
    assert known.room
    assert not known.broken
    assert known.in_force(deployed.id)
    assert (known.around.load_state, known.around.active_state, known.around.main_pid) == ("loaded", "active", 1)
    assert known.around.init == ""


def test_what_nginx_was_built_with_and_what_the_system_is(host):
    words = "--with-http_ssl_module --with-stream=dynamic --without-http_geo_module --with-debug"
    (host.told / "modules").write_text(words)
    known = _state(host)
    # that file is this machine's own
    assert known.system == platform.freedesktop_os_release()["PRETTY_NAME"]
    assert known.built == {"--with-http_ssl_module", "--with-stream=dynamic", "--without-http_geo_module"}


def test_which_package_nginx_is_of(host):
    assert _state(host).package == "nginx 1.22.1-9 Somebody <a@b.example>"
    path = host.root / "var/lib/dpkg/info/nginx.list"
    path.rename(path.with_name("nginx-light.list"))
    known = _state(host)
    assert known.installed
    assert known.package == ""


@pytest.mark.parametrize(
    ("library", "openssl", "words"),
    [
        ("built with OpenSSL 1.1.1w  11 Sep 2023", "1.1.1", set()),
        ("built with OpenSSL 3.5.0 8 Apr (running with OpenSSL 3.5.4)", "3.5.4", set()),
        ("built with LibreSSL 3.8.2", "None", {"LibreSSL"}),
        ("", "None", set()),
    ],
)
def test_which_tls_library_nginx_has(host, library, openssl, words):
    (host.told / "library").write_text(f"{library}\n")
    (host.told / "modules").write_text("")
    known = _state(host)
    assert (str(known.openssl), known.built) == (openssl, words)


@pytest.fixture
def second(host):
    """Another nginx, that no package put there, with sites of its own; the host as it tells them to whom asks."""
    folder = host.root / "opt/theirs"
    folder.mkdir(parents=True)
    program = folder / "nginx"
    program.write_text((host.root / "usr/sbin/nginx").read_text())
    program.chmod(0o755)
    (folder / "own.conf").write_text("http { server { listen 8080; server_name theirs.example; } }\n")
    # what the kernel says of a running nginx
    title = f"nginx: master process {program} -g daemon on; -c {folder}/own.conf"
    running = subprocess.Popen([title, "60"], executable="/usr/bin/sleep")
    yield program, running.pid
    running.kill()
    running.wait()


def test_the_sites_of_another_nginx_are_those_of_the_file_that_it_was_started_with(host, second):
    program, pid = second
    title = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").replace("\0", " ")
    lines = host.says("state", instead=f"print_foreign_nginx() {{ print_sites '{program}' '{title}'; }}")
    elsewhere = GatewayState().process(lines).elsewhere
    (site,) = elsewhere["/opt/theirs/nginx"]
    assert (site.names, site.listens, site.file) == (("theirs.example",), ("8080",), "/opt/theirs/own.conf")
    assert f"nginx -T -q -c {program.parent}/own.conf" in (host.told / "calls").read_text().splitlines()


def test_another_nginx_is_told_with_what_it_was_built_with(host):
    program = host.root / "bin/nginx"
    program.write_text((host.root / "usr/sbin/nginx").read_text())
    program.chmod(0o755)
    (one,) = [own for own in _state(host).around.nginx if own.program == "/bin/nginx"]
    assert (one.pid, one.version, one.openssl) == (0, "nginx/1.22.1", "3.0.17")
    assert one.built == {"--with-http_ssl_module", "--with-http_v2_module", "--with-http_realip_module"}


def _unlink(name: str) -> Callable[[Stage], None]:
    return lambda host: (host.root / name).unlink()


@pytest.mark.parametrize(
    "change",
    [
        _unlink("stage/serves"),
        lambda host: (host.told / "serves").write_text("f" * 16),
        _unlink("etc/nginx/wecom-gateway/activated"),
        _unlink("etc/nginx/wecom-gateway/current"),
        _unlink("etc/nginx/conf.d/wecom-gateway.conf"),
        lambda host: (host.root / "etc/nginx/conf.d/zzz-wecom-gateway.conf").symlink_to(
            "../wecom-gateway/current/gateway.conf"
        ),
        _unlink("etc/nginx/modules-enabled/90-wecom-gateway.conf"),
        lambda host: (host.root / "etc/nginx/nginx.conf").write_text("events { worker_connections 768; }\nhttp { }\n"),
    ],
)
def test_one_thing_amiss_on_the_host_and_the_release_is_not_in_force(host, deployed, change):
    change(host)
    assert not _state(host).in_force(deployed.id)


def test_a_file_that_was_changed_by_hand_is_seen(host, deployed):
    with (host.folder(deployed.id) / "closed.conf").open("a") as file:
        file.write("# mine\n")
    assert _state(host).digest not in (None, deployed.digest())


@pytest.mark.parametrize("name", ["versions/{}", "activated", "acme/failed/wx.b.edu.cn"])
def test_no_file_of_a_host_says_more_than_its_own_fact(host, deployed, name):
    path = host.root / "etc/nginx/wecom-gateway" / name.format(deployed.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    before = _state(host)
    said = path.read_text() if path.exists() else "0.2.0\n"
    path.write_text(f"{said}current releases/{'f' * 16}\nrunning {'f' * 16}\n{'x' * 100_000}")
    known = _state(host)
    assert (known.current, known.activated, known.running) == (before.current, before.activated, before.running)
    assert sum(map(len, host.says("state"))) < 10_000


def test_a_bare_host(tmp_path):
    host = Stage(tmp_path / "host")
    (host.told / "candidate").write_text("nginx:\n  Installed: (none)\n  Candidate: 1.26.3-3+deb13u1\n")
    (host.told / "units").write_text("LoadState=not-found\nMainPID=0\n")
    known = _state(host)
    assert known.is_readable
    assert known.installed is None
    assert str(known.build.version) == "1.26.3"
    assert known.missing[:2] == ("nginx", "ca-certificates")
    assert known.current is known.running is known.digest is None
    assert known.around.foreign_unit == ""


def test_what_runs_no_systemd_says_what_it_runs(host):
    (host.root / "run/systemd/system").rmdir()
    assert _state(host).around.init == Path("/proc/1/comm").read_text().strip()


def test_an_nginx_unit_that_no_package_put_there_is_told(tmp_path):
    host = Stage(tmp_path / "host")
    (host.told / "units").write_text("LoadState=loaded\nFragmentPath=/usr/lib/systemd/system/nginx.service\n")
    assert _state(host).around.foreign_unit == "/usr/lib/systemd/system/nginx.service"


def test_a_configuration_of_somebody_elses_that_does_not_load_is_told_with_nginxs_words(host, parse):
    (host.told / "says").write_text('nginx: [emerg] unknown directive "x" in ' + f"{host.root}/etc/nginx/a:1\n")
    (host.told / "refuses").touch()
    known = _state(host)
    assert known.broken == 'nginx: [emerg] unknown directive "x" in /etc/nginx/a:1'
    assert "broken already" in objections(parse(SITE)[0], known)[0]


def test_who_is_the_default_of_a_port_by_somebody_elses_configuration(host):
    (host.root / "etc/nginx/sites-enabled/theirs").write_text(
        "server { listen 80; }\nserver { listen 10.0.0.9:8080; }\n"
    )
    theirs = _state(host).neighbours
    assert theirs.defaults["80"].file == "/etc/nginx/sites-enabled/theirs"
    assert theirs.apart.keys() == {"10.0.0.9:8080"}
    assert theirs.included == frozenset(ENTRIES)
    assert theirs.user == "www-data"
    # nothing that a release could be included behind is in front of it
    assert theirs.entry == ENTRIES[2]


def test_who_listens_is_told_with_address_and_process(host):
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("0.0.0.0", 0)) as all_of_them:  # noqa: S104
        ports = [own.getsockname()[1] for own in (one, all_of_them)]
        seen = {own.port: own for own in _state(host).around.listeners}
    assert [str(seen[port].address) for port in ports] == ["127.0.0.1", "None"]
    assert {seen[port].pid for port in ports} == {os.getpid()}
    assert seen[ports[0]].program == Path(f"/proc/{os.getpid()}/comm").read_text().strip()


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
def test_who_listens_by_ipv6_is_told_too(host):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as sixth:
        port = sixth.getsockname()[1]
        (seen_there,) = [own for own in _state(host).around.listeners if own.port == port]
    assert (str(seen_there.address), seen_there.version) == ("::1", 6)


def test_certificates_that_the_host_got_and_those_that_it_could_not_get(host):
    folder = host.home / "acme/issued/a.edu.cn"
    (folder / "live").mkdir(parents=True)
    chain, _ = make_pair("a.edu.cn", end=timedelta(days=30))
    (folder / "live/fullchain.pem").write_bytes(chain)
    (folder / "order").write_text("0123 https://acme.example/dir ops@edu.cn -\n")
    (host.home / "acme/failed").mkdir()
    (host.home / "acme/failed/b.edu.cn").write_text("2026-11-20T01:13Z no answer on port 80\n")
    known = _state(host)
    (issued,) = known.issued
    assert issued == Issued("a.edu.cn", "0123 https://acme.example/dir ops@edu.cn -", issued.not_after)
    assert timedelta(days=29) < issued.not_after - datetime.now(UTC) < timedelta(days=31)
    assert known.failed == {"b.edu.cn": "2026-11-20T01:13Z no answer on port 80"}


def test_whose_group_is_whose(host):
    around = _state(host).around
    assert around.group_of["root"] == "root"
    assert "root" in around.shared, "this test is another program than nginx and runs in it" if os.getgid() == 0 else ""


# Health


UNITS = (
    "Id=nginx.service\nLoadState=loaded\nActiveState={nginx}\nUnitFileState=enabled\nResult=success\nMainPID=0\n\n"
    "Id=wecom-gateway-expiry.timer\nLoadState=loaded\nActiveState={timer}\nUnitFileState=enabled\nResult=success\n"
)


def _health(host: Stage, nginx: str = "active", timer: str = "active") -> health.Health:
    (host.told / "units").write_text(UNITS.format(nginx=nginx, timer=timer))
    return health.read(host.says("health"))


def test_a_host_in_order_has_nothing_to_act_on(host, deployed):
    seen = _health(host)
    assert health.findings(seen) == []
    assert seen.nginx == health.Unit("nginx.service")
    assert [one.name for one in seen.units] == ["nginx.service", "wecom-gateway-expiry.timer"]
    assert [one.folder for one in seen.disks] == ["/etc/nginx", "/var/log/nginx", "/var/lib/wecom-gateway"]
    assert seen.build + "\n" == deployed.files[releases.BUILD].body.decode()


def test_a_configuration_that_would_keep_nginx_from_coming_up_is_told_in_its_words(host, deployed):
    (host.told / "broken").write_text("2026/11/20 09:00:00 [emerg] 77#77: no such file in /etc/nginx/x:1\n")
    assert _health(host).loads == "no no such file in /etc/nginx/x:1"


def test_a_timer_that_does_not_run_and_an_nginx_that_was_stopped_are_told(host, deployed):
    (text,) = health.findings(_health(host, timer="inactive"))
    assert "wecom-gateway-expiry.timer is not running" in text
    (host.told / "active").unlink()
    assert _health(host, nginx="inactive").nginx_is_down


def test_an_nginx_that_its_unit_has_not_started_is_none_that_was_stopped(host, deployed):
    seen = _health(host, nginx="inactive")
    assert (seen.outside, seen.nginx_is_down) == (True, False)


@pytest.mark.parametrize(("options", "read_only"), [("rw,relatime", False), ("ro", True), ("relatime,ro,nodev", True)])
def test_a_disk_that_cannot_be_written_is_told(host, options, read_only):
    log = f"{host.root}/var/log"
    (host.root / "proc/self/mounts").write_text(f"none / ext4 rw 0 0\nnone {log} ext4 {options} 0 0\n")
    seen = {one.folder: one for one in _health(host).disks}
    assert (seen["/var/log/nginx"].mount, seen["/var/log/nginx"].read_only) == ("/var/log", read_only)
    assert not seen["/etc/nginx"].read_only
    free = os.statvfs(host.root)
    assert abs(seen["/etc/nginx"].megabytes - free.f_bavail * free.f_frsize // 2**20) < 1000


def test_nodes_that_take_no_connection_are_told_by_their_upstream(host, parse):
    listening, closed = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    good, silent = (f"127.0.0.1:{one.getsockname()[1]}" for one in (listening, closed))
    six = socket.create_server(("::1", 0), family=socket.AF_INET6)
    silent_six = f"[::1]:{six.getsockname()[1]}"
    closed.close()
    six.close()
    rows = [
        {
            "port": "entry",
            "path": "/",
            "upstream": "http://app.inner.example:8080/",
            "nodes": [good, silent, silent_six],
        },
        {"port": "entry", "path": "/x/", "upstream": f"http://{silent}/"},
        {"port": "entry", "path": "/y/", "upstream": "https://by-dns.example/"},
    ]
    parsed, problems = parse({**SITE, "platform": "own"}, platforms={"own": {"routes": rows}})
    assert not problems
    files = dict(tree(parsed, _state(host).build)) | {"ports": File(b""), "upstreams": File(b"")}
    built = releases.build(files)
    assert host.publish(built).returncode == 0
    assert host.activate(built.id).returncode == 0
    seen = _health(host)
    listening.close()
    port = silent.rpartition(":")[2]
    assert seen.silent_nodes == {
        "app.inner.example:8080": (silent, silent_six),
        f"127.0.0.1:{port}": (silent,),
    }
    assert health.findings(seen) == []
    assert sorted(health.warnings(seen), reverse=True) == [
        f"app.inner.example:8080: {silent}, {silent_six} take no connection from the host; tell whoever runs the "
        "platform",
        f"127.0.0.1:{port} takes no connection from the host; tell whoever runs the platform",
    ]


# Installation


def test_a_fresh_nginx_waits_for_a_release_and_then_no_more(host):
    assert host.run("hold_back").returncode == 0
    unit = host.root / "etc/systemd/system/nginx.service.d/wecom-gateway-not-yet.conf"
    conditions = [line for line in unit.read_text().splitlines() if line.startswith("Condition")]
    assert conditions == [f"ConditionPathExists={host.home}/current"]
    calls = (host.told / "calls").read_text()
    assert "systemctl daemon-reload" in calls
    assert host.run("settle_nginx").returncode == 0
    assert not unit.exists()
    assert {"systemctl disable --quiet nginx.service", "systemctl stop nginx.service"} <= set(
        (host.told / "calls").read_text().splitlines()
    )
