"""What scripts/metrics.sh says of a host made of folders. That it is right on a real one is proven in the lab."""

from __future__ import annotations

import os
import re
import shutil
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.nginx import release as releases
from gateway.nginx.build import Build
from gateway.nginx.release import Release
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree
from tests.unit.conftest import make_pair

from .host_stage import Stage

A, B = "a.school.example", "b.school.example"
CODE = "AbCdEfGhIjKlMnOp"
FILE = f"WW_verify_{CODE}.txt"

# Answers as the files in $STAGE/web do: what the running nginx has.
_CURL = r"""
[ "${*: -1}" != "http://127.0.0.1:19001/connections" ] || { cat "$STAGE/connections"; exit; }
while [ $# -gt 0 ]; do [ "$1" != --config ] || config=$2; shift; done
sed -e 's#"$##' -e 's#^url = "http://##' -e 's#^output = "##' "$config" | while read -r path && read -r output; do
    [ ! -e "$STAGE/web/$path" ] || cp "$STAGE/web/$path" "$output"
done
"""
_STATUS = "Active connections: 3 \nserver accepts handled requests\n 10 9 12 \nReading: 0 Writing: 1 Waiting: 2 \n"
_UNITS = """Id=wecom-gateway-resolve.timer
ActiveState=active
Result=success

Id=wecom-gateway-logs.timer
ActiveState=inactive
Result=success

Id=wecom-gateway-resolve.service
ActiveState=inactive
Result={result}
ExecMainExitTimestampMonotonic={exited}
"""


@dataclass
class Measured:
    """A host with a release in force, and what the script says of it."""

    stage: Stage
    release: Release

    @property
    def folder(self) -> Path:
        return self.stage.folder(self.release.id)

    def says(self) -> dict[str, str]:
        """The value of each series, by its name and labels."""
        done = self.stage.run("metrics")
        assert done.returncode == 0, done.stderr
        assert done.stdout + done.stderr == ""
        path = self.stage.root / "var/lib/wecom-gateway/metrics/wecom-gateway.prom"
        assert path.stat().st_mode & 0o777 == 0o644
        text = path.read_text().replace(str(self.stage.root), "")
        types = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
        assert len(types) == len(set(types))
        return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))

    def units(self, result: str = "success", ago: float = 30) -> None:
        up = float(Path("/proc/uptime").read_text().split()[0])
        (self.stage.told / "units").write_text(_UNITS.format(result=result, exited=int((up - ago) * 1e6)))


@pytest.fixture
def host(tmp_path, parse, files, store_pair) -> Measured:
    for name in (A, B):
        store_pair(name)
        (files / "verify" / name).mkdir(parents=True)
        (files / "verify" / name / FILE).write_text(CODE)
    sites = [{"domain": name, "edge": "tls", "platform": "wanxiao_prod"} for name in (A, B)]
    parsed, problems = parse(*sites, metrics={"listen": "10.0.0.5:9145", "allow": ["10.0.0.0/24"]})
    assert parsed, problems
    release = releases.build(tree(parsed, Build(Version((1, 22, 1)))))
    stage = Stage(tmp_path / "host")
    done = stage.publish(release)
    assert done.returncode == 0, done.stderr
    (stage.home / "current").symlink_to(f"releases/{release.id}")
    for folder in ("upstreams", "versions"):
        (stage.home / folder).mkdir(exist_ok=True)
    (stage.home / "versions" / release.id).write_text("0.4.0\n")
    (stage.told / "serves").write_text(release.id)
    (stage.told / "connections").write_text(_STATUS)
    stage.put_program("curl", _CURL)
    (stage.root / "run/wecom-gateway-metrics").mkdir()
    shutil.copytree(stage.folder(release.id) / "verify", stage.told / "web")
    made = Measured(stage, release)
    made.units()
    return made


def test_what_is_in_force_is_told_with_its_version(host):
    said = host.says()
    assert said[f'wecom_gateway_info{{release="{host.release.id}",version="0.4.0"}}'] == "1"
    assert said[f'wecom_gateway_release_on_disk_info{{release="{host.release.id}"}}'] == "1"
    assert said["wecom_gateway_release_in_sync"] == "1"
    (host.stage.told / "serves").write_text("0123456789abcdef")
    said = host.says()
    assert said['wecom_gateway_info{release="0123456789abcdef",version=""}'] == "1"
    assert said["wecom_gateway_release_in_sync"] == "0"


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "closed.conf").write_text("# nobody\n"),
        lambda folder: (folder / "domains").write_text("x.school.example\n"),
        lambda folder: (folder / "sites" / "more.conf").write_text("server { }\n"),
        lambda folder: (folder / "verify" / A / FILE).unlink(),
        lambda folder: (folder / "certs" / B / "privkey.pem").chmod(0o644),
    ],
    ids=["a template's file", "a list", "a file more", "a file less", "a key that all may read"],
)
def test_a_release_that_was_changed_by_hand_is_not_in_sync(host, change):
    """Looked at anew though it was found intact a minute ago, and again after it was put back."""
    assert host.says()["wecom_gateway_release_in_sync"] == "1"
    kept = host.stage.root / "kept"
    shutil.copytree(host.folder, kept)
    change(host.folder)
    assert host.says()["wecom_gateway_release_in_sync"] == "0"
    shutil.rmtree(host.folder)
    shutil.copytree(kept, host.folder)
    assert host.says()["wecom_gateway_release_in_sync"] == "1"


def test_a_verification_file_counts_with_the_bytes_that_were_published_alone(host):
    series = [f'wecom_gateway_verification_file_up{{site="{site}",file="{FILE}"}}' for site in (A, B)]
    said = host.says()
    assert [said[one] for one in series] == ["1", "1"]
    (host.stage.told / "web" / A / FILE).write_text("AbCdEfGhIjKlMnO\n")
    (host.stage.told / "web" / B / FILE).unlink()
    said = host.says()
    assert [said[one] for one in series] == ["0", "0"]


def test_the_end_of_a_certificate_is_told_and_read_again_when_it_is_another(host):
    name = f'wecom_gateway_certificate_not_after_timestamp_seconds{{site="{B}"}}'
    before = int(host.says()[name])
    assert before > time.time()
    chain, _ = make_pair(B, end=timedelta(days=500))
    (host.folder / "certs" / B / "fullchain.pem").write_bytes(chain)
    assert int(host.says()[name]) > before


def test_a_certificate_that_cannot_be_read_is_told_and_hides_no_other(host):
    ends = {site: f'wecom_gateway_certificate_not_after_timestamp_seconds{{site="{site}"}}' for site in (A, B)}
    readable = [f'wecom_gateway_certificate_readable{{site="{site}"}}' for site in (A, B)]
    said = host.says()
    assert [said[one] for one in readable] == ["1", "1"]
    path = host.folder / "certs" / A / "fullchain.pem"
    chain = path.read_bytes()
    for wrong in (b"", b"not a certificate\n", chain[:200], chain.replace(b"\nMI", b"\nXX", 1)):
        path.write_bytes(wrong)
        broken = host.says()
        assert [broken[one] for one in readable] == ["0", "1"], wrong
        assert ends[A] not in broken
        assert broken[ends[B]] == said[ends[B]]
    path.write_bytes(chain)
    mended = host.says()
    assert [mended[one] for one in (*ends.values(), *readable)] == [said[one] for one in (*ends.values(), *readable)]


def test_a_certificate_that_could_not_be_read_for_a_moment_is_read_again(host):
    """As where openssl was being upgraded just then: nothing of the certificates has changed since."""
    readable = f'wecom_gateway_certificate_readable{{site="{A}"}}'
    host.stage.put_program("openssl", "exit 1")
    assert host.says()[readable] == "0"
    host.stage.put_program("openssl", f'exec {shutil.which("openssl")} "$@"')
    assert host.says()[readable] == "1"


def test_when_a_job_went_well_is_remembered_while_it_fails(host):
    name = 'wecom_gateway_last_success_timestamp_seconds{task="resolve"}'
    first = int(host.says()[name])
    assert abs(first - (time.time() - 30)) < 5
    host.units(result="exit-code", ago=1)
    said = host.says()
    assert int(said[name]) == first
    assert said['wecom_gateway_task_failed{task="resolve"}'] == "1"
    assert said['wecom_gateway_timer_active{timer="wecom-gateway-resolve.timer"}'] == "1"
    assert said['wecom_gateway_timer_active{timer="wecom-gateway-logs.timer"}'] == "0"
    assert 'wecom_gateway_task_failed{task="renew"}' not in said


@pytest.mark.parametrize(
    "left",
    [b"\0" * 40 + b"\n", b"\n", b"resolve\n", b"resolve 17\0\x01x\n"],
    ids=["null bytes", "an empty line", "no time", "a time that is none"],
)
def test_what_a_power_failure_has_left_of_that_is_passed_over(host, left):
    """Nothing would be measured until somebody removes the file, or Prometheus would refuse the whole page."""
    kept = host.stage.root / "var/lib/wecom-gateway/metrics/succeeded"
    host.says()
    kept.write_bytes(left)
    host.units(result="exit-code", ago=1)
    assert 'wecom_gateway_last_success_timestamp_seconds{task="resolve"}' not in host.says()
    assert kept.read_text().startswith("collect ")


def test_a_name_that_has_ceased_to_resolve_is_told_though_its_addresses_are_kept(host):
    resolved = 'wecom_gateway_upstream_resolved{upstream="hub.17wanxiao.com:443"}'
    nodes = 'wecom_gateway_upstream_nodes{upstream="hub.17wanxiao.com:443"}'
    up = 'wecom_gateway_upstream_up{upstream="hub.17wanxiao.com:443"}'
    # nothing listens on port 1 of the machine
    (host.stage.home / "upstreams" / "hub.17wanxiao.com_443.conf").write_text(
        "server 127.0.0.1:1;\nserver 127.0.0.2:1 backup;\n"
    )
    memory = host.stage.root / "run/wecom-gateway-addresses"
    memory.write_text(f"name hub.17wanxiao.com {int(time.time()) - 40} 0 0\n")
    said = host.says()
    assert (said[resolved], said[nodes], said[up]) == ("1", "1", "0")
    memory.write_text(f"name hub.17wanxiao.com {int(time.time()) - 400} 0 0\n")
    assert host.says()[resolved] == "0"
    assert host.says()['wecom_gateway_upstream_nodes{upstream="open.17wanxiao.com:443"}'] == "0"


def test_the_log_that_mtail_reads_stays_small(host):
    log = host.stage.root / "var/log/nginx/wecom-gateway.requests"
    log.write_bytes(b"x" * 15_000_000)
    host.says()
    assert log.stat().st_size == 15_000_000
    with log.open("ab") as more:
        more.write(b"x" * 2_000_000)
    host.says()
    assert log.stat().st_size == 0


def test_what_nginx_counts_and_how_full_the_disk_is(host):
    said = host.says()
    names = ("nginx_connections_accepted", "nginx_connections_handled", "nginx_http_requests_total")
    assert [said[name] for name in names] == ["10", "9", "12"]
    disk = os.statvfs("/")
    assert int(said['wecom_gateway_filesystem_size_bytes{path="/"}']) == disk.f_blocks * disk.f_frsize
    assert said["wecom_gateway_workers_shutting_down"] == "0"


def test_without_a_release_there_is_nothing_to_say(host):
    (host.stage.home / "current").unlink()
    assert host.stage.run("metrics").returncode == 0
    assert not (host.stage.root / "var/lib/wecom-gateway/metrics/wecom-gateway.prom").exists()
