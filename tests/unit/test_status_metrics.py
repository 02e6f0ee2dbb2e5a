"""`status --metrics`: what a Prometheus gets to know that no host can tell."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from gateway.cli.main import main
from gateway.deploys.drift import HostStatus
from gateway.deploys.exposition import exposition
from gateway.outside import balancers

from . import promtool

NOW = datetime.fromtimestamp(1_800_000_000, UTC)
RUNS = "wecom_gateway_status_wanted_release_runs"
ENDS = "wecom_gateway_status_balancer_certificate_not_after_timestamp_seconds"


def lines(*found: HostStatus, **days: int) -> list[str]:
    return [line for line in exposition(found, days, NOW).splitlines() if not line.startswith("#")]


def test_whether_the_wanted_release_runs_is_told_of_hosts_that_answered_and_shall_serve():
    found = (
        HostStatus("same", True, wanted="a", published="a", running="a"),
        HostStatus("other", True, wanted="b", published="b", running="a"),
        HostStatus("stopped", True, wanted="b", published="b"),
        HostStatus("away", False, problem="unreachable"),
        HostStatus("serves-nothing", True, running="a"),
    )
    assert lines(*found) == [
        f'{RUNS}{{gateway="same"}} 1',
        f'{RUNS}{{gateway="other"}} 0',
        f'{RUNS}{{gateway="stopped"}} 0',
        "wecom_gateway_status_timestamp_seconds 1800000000",
    ]


def test_load_balancers_certificates_are_told_by_their_end():
    assert lines(**{"b.edu.cn": 9, "a.edu.cn": -2})[:-1] == [
        f'{ENDS}{{site="a.edu.cn"}} {1_800_000_000 - 2 * 86400}',
        f'{ENDS}{{site="b.edu.cn"}} {1_800_000_000 + 9 * 86400}',
    ]


def test_no_name_breaks_out_of_its_label():
    assert lines(HostStatus('a"\\\n} 7', True, wanted="a"))[0] == f'{RUNS}{{gateway="a\\"\\\\\\n}} 7"}} 0'


@promtool.needed
def test_prometheus_can_read_it():
    text = exposition([HostStatus('h"1', True, wanted="a", running="a")], {"a.edu.cn": 1}, NOW)
    promtool.passes("check", "metrics", text=text)


@pytest.fixture
def status(tmp_path, monkeypatch):
    """Runs `status --metrics FILE` for a host that nobody reaches."""
    inventory = tmp_path / "prod.py"
    inventory.write_text(
        'wanxiao_prod = [("h1", {"ssh_hostname": "127.0.0.1", "ssh_port": 1, "sites": ['
        '{"domain": "a.edu.cn", "edge": "slb"}]})]'
    )
    monkeypatch.setattr(balancers, "days_left", lambda domains: dict.fromkeys(domains, 30))
    return lambda path: CliRunner().invoke(main, ["status", str(inventory), "--metrics", str(path)])


def test_the_command_writes_the_file_whole_and_readable_for_others(status, tmp_path):
    file = tmp_path / "collected" / "gateways.prom"
    file.parent.mkdir()
    file.write_text("yesterday's")
    done = status(file)
    assert done.exit_code == 2  # the host cannot be reached
    assert f'{ENDS}{{site="a.edu.cn"}} ' in file.read_text()
    assert "yesterday" not in file.read_text()
    assert file.stat().st_mode & 0o044 == 0o044
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_file_that_cannot_be_written_is_a_failure_also_where_all_is_in_sync(status, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.cli.status.ask_hosts", lambda fleet, progress, days: [HostStatus("h1", True)])
    assert status(tmp_path / "gateways.prom").exit_code == 0
    (tmp_path / "taken").write_text("no folder")
    assert status(tmp_path / "taken" / "gateways.prom").exit_code == 2


def test_a_file_that_cannot_be_written_is_told_and_so_is_what_was_found(status, tmp_path):
    done = status(tmp_path / "mistyped" / "gateways.prom")
    assert done.exit_code == 2
    assert not (tmp_path / "mistyped").exists()  # one that is made here would be one that no node exporter reads
    assert "unreachable" in done.output
    assert "gateways.prom: cannot be written: No such file or directory; name a file NAME.prom in a " in done.output


def test_a_folder_that_may_not_be_written_to_is_told(status, tmp_path, monkeypatch):
    def refuse(folder, files):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gateway.cli.status.whole_file.write", refuse)
    done = status(tmp_path / "gateways.prom")
    assert done.exit_code == 2
    assert "Permission denied; name a file NAME.prom in a folder that is there and that you may write to" in done.output


@pytest.mark.parametrize("name", ["gateways.txt", "gateways", ".prom", ""])
def test_a_file_that_a_node_exporter_passes_over_is_refused_before_a_host_is_asked(status, tmp_path, name):
    done = status(f"{tmp_path}/{name}" if name else "")
    assert done.exit_code == 2
    assert "unreachable" not in done.output
    assert not isinstance(done.exception, ValueError)
    assert "NAME.prom" in done.output or "is a directory" in done.output


def test_what_is_no_file_stays_as_it_is(status, tmp_path):
    """By root /dev/null, or whatever a link leads to, would become a file, and every program of the machine suffer."""
    pipe, link = tmp_path / "pipe.prom", tmp_path / "link.prom"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        done = status(path)
        assert done.exit_code == 2
        assert f"{path.name}: cannot be written: Not a regular file; " in done.output
    assert pipe.is_fifo()
    assert link.is_symlink()
