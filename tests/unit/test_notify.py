"""--notify: a group robot hears once of what got worse and of its end, and nobody hears of the robot's address."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner, Result

from gateway.cli import inventory
from gateway.cli.main import main
from gateway.deploys.drift import HostStatus
from gateway.fleet.loading import Fleet
from gateway.notify import memory, robot, telling
from gateway.notify.robot import Robot, RobotError
from gateway.problems import Problem
from lab.robots import KEY, Robots, robots

from .concerning import DOWN, saw


@pytest.fixture
def stand_in() -> Iterator[Robots]:
    with robots() as known:
        yield known


class TestRobot:
    @pytest.mark.parametrize(
        ("given", "value", "fault"),
        [
            ("WECOM_ROBOT", None, "WECOM_ROBOT: the environment variable is not set"),
            ("WECOM_ROBOT", " ", "WECOM_ROBOT: the environment variable is not set"),
            ("WECOM ROBOT", None, "--notify: names no environment variable"),
            (KEY, None, "--notify: names no environment variable"),
            ("WECOM_ROBOT", KEY, "WECOM_ROBOT: is no address of a group robot"),
            ("WECOM_ROBOT", f"http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}", "is no address"),
            ("WECOM_ROBOT", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send", "is no address"),
            ("WECOM_ROBOT", f"https://qyapi.weixin.qq.com/send?key={KEY}\nX: y", "is no address"),
            ("WECOM_ROBOT", f"https://[::1/send?key={KEY}", "is no address"),
            *(
                ("WECOM_ROBOT", f"https://{host}/send?key={KEY}", "is no address")
                for host in ("qyapi..qq.com", "a" * 64, "qyapi.weixin.qq.com:x", "127.0.0.1:99999", "127.0.0.1:-5")
            ),
            (f"ftp://qyapi.weixin.qq.com/?key={KEY}", None, "--notify: is no address of a group robot"),
        ],
    )
    def test_an_address_that_is_none_is_refused_without_being_told(
        self, given: str, value: str | None, fault: str
    ) -> None:
        with pytest.raises(RobotError, match=fault) as caught:
            robot.robot(given, {} if value is None else {"WECOM_ROBOT": value})
        assert KEY not in str(caught.value)

    def test_it_takes_a_message(self, stand_in: Robots) -> None:
        robot.send(robot.robot("WECOM_ROBOT", {"WECOM_ROBOT": f" {stand_in.url}\n"}), "**text** 文字")
        assert stand_in.messages == ["**text** 文字"]

    @pytest.mark.parametrize(
        ("answer", "fault"),
        [
            ((200, b'{"errcode": 93000, "errmsg": "invalid webhook url"}'), r"explain 93000"),
            ((200, b'{"errcode": 45009, "errmsg": "reach max api daily quota limit"}'), "no more messages this minute"),
            ((200, b"<html>"), "is no group robot"),
            ((200, b"[]"), "is no group robot"),
            ((200, b"[" * 60_000), "is no group robot"),
            ((200, rb'{"errcode": "\u001b[2J"}'), "is no group robot"),
            ((429, b""), "answered 429; the next run tries again"),
            ((502, b""), "answered 502; the next run tries again"),
            ((302, b""), "answered 302"),
        ],
    )
    def test_what_it_answers_else_is_told_without_its_address(
        self, stand_in: Robots, answer: tuple[int, bytes], fault: str
    ) -> None:
        stand_in.answers = [answer]
        with pytest.raises(RobotError, match=fault) as caught:
            robot.send(Robot("WECOM_ROBOT", stand_in.url), "text")
        assert KEY not in str(caught.value)
        assert KEY not in repr(Robot("WECOM_ROBOT", stand_in.url))
        assert stand_in.messages == []

    def test_one_that_is_not_there_is_told(self) -> None:
        with pytest.raises(
            RobotError, match=r"WECOM_ROBOT: the robot's server cannot be reached \(Connection refused\)"
        ):
            robot.send(Robot("WECOM_ROBOT", f"http://127.0.0.1:9/send?key={KEY}"), "text")


class TestTelling:
    def test_a_change_is_told_once(self, stand_in: Robots, tmp_path: Path) -> None:
        to, path = Robot("R", stand_in.url), tmp_path / "new" / "notified.json"
        assert [telling.tell(to, path, "status a", one) for one in (saw(DOWN), saw(DOWN), saw(), saw())] == [
            1,
            0,
            1,
            0,
        ]
        assert len(stand_in.messages) == 2
        assert "已恢复" in stand_in.messages[1]
        assert KEY not in path.read_text()

    def test_commands_are_told_apart(self, stand_in: Robots, tmp_path: Path) -> None:
        to, path = Robot("R", stand_in.url), tmp_path / "notified.json"
        assert telling.tell(to, path, "status a", saw(DOWN)) == telling.tell(to, path, "verify a", saw(DOWN)) == 1
        assert telling.tell(to, path, "status a", saw()) == 1
        assert telling.tell(to, path, "verify a", saw(DOWN)) == 0

    def test_two_folders_and_two_robots_are_told_apart(
        self, stand_in: Robots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each repository has its inventory/prod.py: one's troubles would end with every run of the other."""
        path, command = tmp_path / "notified.json", "status inventory/prod.py"
        for name in ("one", "other"):
            (tmp_path / name).mkdir()
            monkeypatch.chdir(tmp_path / name)
            assert telling.tell(Robot("R", stand_in.url), path, command, saw(DOWN)) == 1
        assert telling.tell(Robot("ANOTHER", stand_in.url), path, command, saw(DOWN)) == 1
        monkeypatch.chdir(tmp_path / "one")
        assert telling.tell(Robot("R", stand_in.url), path, command, saw(DOWN)) == 0

    def test_a_folder_whose_name_is_no_utf8_is_remembered(
        self, stand_in: Robots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / os.fsdecode("大学".encode("gbk"))
        folder.mkdir()
        monkeypatch.chdir(folder)
        to, path = Robot("R", stand_in.url), tmp_path / "notified.json"
        assert [telling.tell(to, path, "status a", one) for one in (saw(DOWN), saw(DOWN))] == [1, 0]

    def test_what_did_not_arrive_is_told_by_the_next_run(self, stand_in: Robots, tmp_path: Path) -> None:
        to, path = Robot("R", stand_in.url), tmp_path / "notified.json"
        stand_in.answers = [(502, b"")]
        with pytest.raises(RobotError):
            telling.tell(to, path, "status a", saw(DOWN))
        assert telling.tell(to, path, "status a", saw(DOWN)) == 1

    def test_no_more_than_a_robot_takes_a_minute(
        self, stand_in: Robots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        to, path, now = Robot("R", stand_in.url), tmp_path / "notified.json", 1_000_000.0
        monkeypatch.setattr("time.time", lambda: now)
        for number in range(telling.A_MINUTE):
            telling.tell(to, path, f"status {number}", saw(DOWN))
        with pytest.raises(RobotError, match="went out this minute"):
            telling.tell(to, path, "status more", saw(DOWN))
        assert len(stand_in.messages) == telling.A_MINUTE
        stand_in.messages.clear()
        now += 60
        assert telling.tell(to, path, "status more", saw(DOWN)) == 1

    @pytest.mark.parametrize(
        "text", ["nonsense", "[]", '{"told": {"a": [["x"]]}}', '{"sent": ["x"]}', "\xff", "[" * 9999]
    )
    def test_a_memory_that_is_none_is_told_and_kept(self, stand_in: Robots, tmp_path: Path, text: str) -> None:
        path = tmp_path / "notified.json"
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(memory.MemoryFileError, match="is no memory of --notify"):
            telling.tell(Robot("R", stand_in.url), path, "status a", saw(DOWN))
        assert (path.read_bytes(), stand_in.messages) == (text.encode("latin-1"), [])

    def test_a_memory_that_cannot_be_written_is_told(self, stand_in: Robots, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(memory.MemoryFileError, match="--notify-memory names another file"):
            telling.tell(Robot("R", stand_in.url), tmp_path / "file" / "notified.json", "status a", saw(DOWN))
        assert stand_in.messages == []

    def test_nothing_is_told_that_cannot_be_remembered(
        self, stand_in: Robots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each run would tell it again."""

        def full(**_: object) -> NoReturn:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("tempfile.mkstemp", full)
        with pytest.raises(memory.MemoryFileError, match=r"cannot be used \(No space left on device\)"):
            telling.tell(Robot("R", stand_in.url), tmp_path / "notified.json", "status a", saw(DOWN))
        assert stand_in.messages == []

    def test_what_is_no_file_is_not_replaced_by_one(self, stand_in: Robots, tmp_path: Path) -> None:
        """As root that would be the end of /dev/null."""
        null, pipe = tmp_path / "null", tmp_path / "pipe"
        null.symlink_to("/dev/null")
        os.mkfifo(pipe)
        for path in (null, pipe):
            with pytest.raises(memory.MemoryFileError, match="is no regular file; --notify-memory names another"):
                telling.tell(Robot("R", stand_in.url), path, "status a", saw(DOWN))
            assert not path.is_file()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["null", "pipe"]
        assert stand_in.messages == []

    def test_it_lies_where_systemd_or_the_user_keeps_such_files(self) -> None:
        assert memory.default_path({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}) == Path("/var/lib/a/notified.json")
        assert memory.default_path({"XDG_STATE_HOME": "/s"}) == Path("/s/wecom-gateway/notified.json")
        assert memory.default_path({"HOME": "/home/ops"}) == Path("/home/ops/.local/state/wecom-gateway/notified.json")


class TestCommands:
    @pytest.fixture(autouse=True)
    def fleet(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.found = [HostStatus("gw-a", True, problem="nothing is published; deploy")]
        monkeypatch.setattr("gateway.cli.status.load_or_stop", lambda *_, **__: Fleet((), (), None))
        monkeypatch.setattr("gateway.cli.status.ask_hosts", lambda *_: self.found)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        for name in ("STATE_DIRECTORY", "XDG_STATE_HOME", "WECOM_ROBOT"):
            monkeypatch.delenv(name, raising=False)

    def _status(self, *options: str) -> Result:
        return self._run("status", *options)

    def _run(self, command: str, *options: str) -> Result:
        done = CliRunner().invoke(main, [command, "inventory/prod.py", *options])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert KEY not in done.output
        return done

    def test_status_tells_once_and_says_so(self, stand_in: Robots, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WECOM_ROBOT", stand_in.url)
        first = self._status("--notify", "WECOM_ROBOT")
        assert (first.exit_code, first.stderr) == (2, "notified: 1 change\n")
        assert self._status("--notify", "WECOM_ROBOT").stderr == ""
        self.found = [HostStatus("gw-a", True)]
        assert self._status("--notify", "WECOM_ROBOT").exit_code == 0
        assert len(stand_in.messages) == 2
        assert "`status inventory/prod.py`" in stand_in.messages[0]

    def test_json_stays_json(self, stand_in: Robots, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WECOM_ROBOT", stand_in.url)
        assert json.loads(self._status("--notify", "WECOM_ROBOT", "--json").stdout)["hosts"]

    def test_a_robot_that_cannot_be_told_is_a_failure_of_the_run(
        self, stand_in: Robots, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.found = [HostStatus("gw-a", True, unresolved=("x.cn",))]  # which is no drift
        monkeypatch.setenv("WECOM_ROBOT", stand_in.url)
        stand_in.answers = [(500, b"")]
        done = self._status("--notify", "WECOM_ROBOT")
        assert done.exit_code == 2
        assert "not notified: WECOM_ROBOT: the robot's server answered 500" in done.stderr

    def test_an_address_in_the_command_line_works_with_a_warning(self, stand_in: Robots) -> None:
        done = self._status("--notify", stand_in.url)
        assert "put it into an environment variable" in done.stderr
        assert len(stand_in.messages) == 1

    def test_an_inventory_that_cannot_be_loaded_is_told_and_ends_nothing_else(
        self, stand_in: Robots, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WECOM_ROBOT", stand_in.url)
        self._status("--notify", "WECOM_ROBOT")
        with monkeypatch.context() as broken:
            broken.setattr("gateway.cli.status.load_or_stop", inventory.load_or_stop)
            for command in ("status", "status", "verify"):
                done = self._run(command, "--notify", "WECOM_ROBOT")
                assert "No such file" in done.output or "inventory/prod.py" in done.output
        assert self._status("--notify", "WECOM_ROBOT").stderr == "notified: 1 change\n"
        assert [text.count("**inventory**") for text in stand_in.messages] == [0, 1, 1, 1]
        assert "已恢复 · Ended: 1" in stand_in.messages[3]

    def test_an_inventory_that_cannot_be_loaded_ends_none_of_its_errors(
        self, stand_in: Robots, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WECOM_ROBOT", stand_in.url)
        wrong = Problem("gw-b", "b.edu.cn", "edge", "is missing")
        monkeypatch.setattr("gateway.cli.status.load_or_stop", lambda *_, **__: Fleet((), (wrong,), None))
        self._status("--notify", "WECOM_ROBOT")
        with monkeypatch.context() as broken:
            broken.setattr("gateway.cli.status.load_or_stop", inventory.load_or_stop)
            self._status("--notify", "WECOM_ROBOT")
        assert len(stand_in.messages) == 2
        assert "Ended" not in stand_in.messages[1]

    def test_wrong_options_end_before_anything_is_asked(self) -> None:
        self.found = []
        for options, fault in (
            (("--notify", "WECOM_ROBOT"), "WECOM_ROBOT: the environment variable is not set"),
            (("--notify-memory", "x"), "--notify-memory: is for --notify"),
        ):
            done = self._status(*options)
            assert done.exit_code == 2
            assert fault in done.stderr

    def test_a_memory_of_ones_own(self, stand_in: Robots, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("WECOM_ROBOT", stand_in.url)
        self._status("--notify", "WECOM_ROBOT", "--notify-memory", str(tmp_path / "own.json"))
        assert sorted(path.name for path in tmp_path.iterdir()) == ["own.json", "own.json.lock"]
        assert (tmp_path / "own.json").stat().st_mode & 0o777 == 0o600
