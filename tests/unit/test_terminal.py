"""What a terminal cannot show, and how a run ends that its operator breaks off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import interrupts

from .conftest import REPO

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


def _run(checkout, encoding, *command):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(REPO), "PYTHONUTF8": "0"}
    program = Path(sys.executable).parent / command[0]
    return subprocess.run([program, *command[1:]], cwd=checkout, env=environment, capture_output=True, timeout=60)


@pytest.mark.parametrize("encoding", ["utf-8:strict", "latin-1", "ascii", "gbk"])
def test_names_of_files_that_a_terminal_cannot_show_are_escaped(checkout, encoding):
    done = _run(checkout, encoding, "python", "-m", "gateway", "check", "prod.py")
    assert done.returncode == 1
    assert done.stderr == b""
    lines = done.stdout.splitlines()
    assert len(lines) == 4, lines
    assert b"two\\nlines\\x1b[31m.txt" in done.stdout
    assert b"odd\\udcff\\udcfe.txt" in done.stdout
    told = _run(checkout, encoding, "python", "-m", "gateway", "check", "--json", "prod.py")
    places = [problem["field"] for problem in json.loads(told.stdout)["problems"]]
    assert [os.fsencode(place.rpartition("/")[2]) for place in places] == sorted(ODD)


@pytest.mark.parametrize("encoding", ["utf-8:strict", "latin-1"])
def test_a_deploy_stops_at_them_without_a_traceback(checkout, encoding):
    done = _run(checkout, encoding, "pyinfra", "-y", "prod.py", "deploy.py")
    assert done.returncode == 1
    assert b"3 problems in prod.py" in done.stderr
    assert b"Traceback" not in done.stderr


def test_they_stand_in_a_report_as_well(checkout):
    done = _run(checkout, "utf-8:strict", "python", "-m", "gateway", "verify", "--report", "out.html", "prod.py")
    assert b"Traceback" not in done.stderr
    assert b"odd\\udcff" in (checkout / "out.html").read_bytes()


def _ends_with_one_word(checkout, script, seconds):
    """Once Ctrl-C comes while hosts or sites are being asked."""
    for path in (checkout / "files").rglob("*.txt"):
        path.unlink()
    with _started(checkout, script) as process:
        assert process.stdout.readline() == "asking\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=seconds)[1].split() == ["Aborted!"]
    assert process.returncode == 1


@pytest.mark.parametrize("command", ["status", "verify"])
def test_a_run_that_is_broken_off_ends_with_one_word(checkout, command):
    slow = (
        "import gevent\n"
        "from gateway.cli import main as own\nfrom gateway.deploys import status\n"
        "from gateway.outside import whole_fleet\n"
        "def wait(*_):\n"
        "    print('asking', flush=True)\n"
        "    gevent.sleep(50)\n"
        "status._ask = whole_fleet._results = wait\n"
        f"own.main(['{command}', 'prod.py'])\n"
    )
    _ends_with_one_word(checkout, slow, 30)


_BUSY = (
    "import gevent, threading, time\n"
    "from gateway.cli import main as own\nfrom gateway.deploys import status\n"
    "def spin():\n"
    "    print('asking', flush=True)\n"
    "    end = time.monotonic() + 2\n"
    "    while time.monotonic() < end: pass\n"
    "def wait(*_):\n"
    "    threading.Thread(target=spin, daemon=True).start()\n"
    "    gevent.sleep(50)\n"
    "status._ask = wait\n"
    "own.main(['status', 'prod.py'])\n"
)


def test_a_connection_s_own_thread_does_not_swallow_it(checkout):
    """The signal comes while one of paramiko's threads runs, which are greenlets of the same thread here."""
    _ends_with_one_word(checkout, _BUSY, 15)


@contextmanager
def _started(checkout, code):
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "preexec_fn": interrupts.heeded}
    with subprocess.Popen([sys.executable, "-c", code], cwd=checkout, env=environment, **more) as process:
        try:
            yield process
        finally:
            process.kill()
