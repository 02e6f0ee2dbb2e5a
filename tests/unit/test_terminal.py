"""What a terminal cannot show, and how a run ends that its operator breaks off."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import gevent
import pytest

from gateway.cli.main import main
from gateway.deploys import asking
from gateway.outside import whole_fleet
from lab import interrupts

from .conftest import REPO
from .forked import gateway, pyinfra, started

INVENTORY = 'wanxiao_prod = [("h1", {"sites": [{"domain": "wx.a.edu.cn", "edge": "slb"}]})]\n'
ODD = [b"odd\xff\xfe.txt", "校验\U0001f600.txt".encode(), b"two\nlines\x1b[31m.txt"]


@pytest.fixture
def checkout(tmp_path):
    """A checkout with verification files of names that no encoding has all of."""
    (tmp_path / "group_data").symlink_to(REPO / "group_data")
    (tmp_path / "config.py").symlink_to(REPO / "config.py")
    (tmp_path / "deploy.py").symlink_to(REPO / "deploy.py")
    (tmp_path / "prod.py").write_text(INVENTORY)
    folder = tmp_path / "files/verify/wx.a.edu.cn"
    folder.mkdir(parents=True)
    for name in ODD:
        Path(os.fsdecode(bytes(folder) + b"/" + name)).write_text("x")
    return tmp_path


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii", "gbk"])
def test_names_of_files_that_a_terminal_cannot_show_are_escaped(checkout, encoding):
    done = gateway("check", "prod.py", folder=checkout, encoding=encoding)
    assert done.returncode == 1
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == 4, lines
    assert "two\\nlines\\x1b[31m.txt" in done.stdout
    assert "odd\\udcff\\udcfe.txt" in done.stdout
    told = gateway("check", "--json", "prod.py", folder=checkout, encoding=encoding)
    places = [problem["field"] for problem in json.loads(told.stdout)["problems"]]
    assert [os.fsencode(place.rpartition("/")[2]) for place in places] == sorted(ODD)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_deploy_stops_at_them_without_a_traceback(checkout, encoding):
    done = pyinfra("-y", "prod.py", "deploy.py", folder=checkout, encoding=encoding)
    assert done.returncode == 1
    assert "3 problems in prod.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_they_stand_in_a_report_as_well(checkout):
    done = gateway("verify", "--report", "out.html", "prod.py", folder=checkout)
    assert "Traceback" not in done.stderr
    assert b"odd\\udcff" in (checkout / "out.html").read_bytes()


def _ends_with_one_word(checkout, call, seconds):
    """Once Ctrl-C comes while hosts or sites are being asked."""
    for path in (checkout / "files").rglob("*.txt"):
        path.unlink()
    reading, writing = os.pipe()
    with (
        open(reading) as said,  # noqa: PTH123
        open(writing, "wb") as out,  # noqa: PTH123
        tempfile.TemporaryFile("w+") as err,
        started(call, out, err, folder=checkout) as process,
    ):
        assert said.readline() == "asking\n"
        os.kill(process.pid, signal.SIGINT)
        process.join(seconds)
        assert process.exitcode == 1
        err.seek(0)
        assert err.read().split() == ["Aborted!"]


@pytest.mark.parametrize("command", ["status", "hosts", "verify"])
def test_a_run_that_is_broken_off_ends_with_one_word(checkout, monkeypatch, command):
    def wait(*_):
        print("asking", flush=True)
        # As a real one does, which waits for answers: a signal that comes just before a sleep is seen at its end.
        for _ in range(500):
            gevent.sleep(0.1)

    def slow():
        interrupts.heeded()
        main([command, "prod.py"])

    monkeypatch.setattr(asking, "_connect", wait)
    monkeypatch.setattr(whole_fleet, "_results", wait)
    _ends_with_one_word(checkout, slow, 30)


def test_a_connection_s_own_thread_does_not_swallow_it(checkout, monkeypatch):
    """The signal comes while one of paramiko's threads runs, which are greenlets of the same thread here."""

    def spin():
        print("asking", flush=True)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            pass

    def wait(*_):
        threading.Thread(target=spin, daemon=True).start()
        gevent.sleep(50)

    def busy():
        interrupts.heeded()
        main(["status", "prod.py"])

    monkeypatch.setattr(asking, "_connect", wait)
    _ends_with_one_word(checkout, busy, 15)
