"""What a host keeps of nginx's messages about requests: the reasons, and no login code, by the script that it runs."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.onhost import scripts

CODE = "S3cret"
HEAD = "<187>Nov 27 01:53:15 wecom_gateway: "
WHEN = "2026/11/27 01:53:15 [error] 77#77: *5 "
OF = ", client: 127.0.0.1, server: a.edu.cn, "
ASKED = f'request: "GET /x?code={CODE} HTTP/1.1", '
BY = (
    f'upstream: "https://10.0.0.5:443/b-server/x?code={CODE}", host: "a.edu.cn", referrer: "https://c.cn/p?code={CODE}"'
)
KEPT = OF + 'request: "GET /x", upstream: "https://10.0.0.5:443", host: "a.edu.cn"'
# nginx cuts what is longer.
MOST = 2048


class Errors:
    """The script at work, and the log that it writes."""

    def __init__(self, folder: Path, seconds: float = 60) -> None:
        """It ends after so many seconds of silence."""
        self.log = folder / "error.log"
        self._nginx, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        (folder / "errors.pl").write_text(scripts.perl("errors").replace("$seconds = 60;", f"$seconds = {seconds};"))
        self.process = subprocess.Popen(["perl", folder / "errors.pl", self.log], stdin=theirs, stderr=subprocess.PIPE)
        theirs.close()

    def say(self, text: str | bytes) -> None:
        self._nginx.send(text if isinstance(text, bytes) else text.encode())

    def lines(self, last: str = "the last one") -> list[str]:
        """What is in the log when everything has been written that was said."""
        self.say(f"{HEAD}{WHEN}{last}{OF}")
        until = time.monotonic() + 10
        while time.monotonic() < until:
            # a byte that is not UTF-8 may be anywhere
            told = self.log.read_text(errors="replace") if self.log.exists() else ""
            if last in told:
                return told.splitlines()[:-1]
            time.sleep(0.01)
        raise AssertionError("it was not written")

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()
        self._nginx.close()


@pytest.fixture
def errors(tmp_path) -> Iterator[Errors]:
    made = Errors(tmp_path)
    yield made
    made.end()


@pytest.mark.parametrize(
    "reason",
    [
        "upstream timed out (110: Connection timed out) while reading response header from upstream",
        "connect() failed (111: Connection refused) while connecting to upstream",
        "upstream SSL certificate verify error: (20:unable to get local issuer certificate) while SSL handshaking to"
        " upstream",
        "SSL_do_handshake() failed (SSL: error:0A000086:SSL routines::certificate verify failed) while SSL handshaking"
        " to upstream",
        'upstream SSL certificate does not match "hub.17wanxiao.com" while SSL handshaking to upstream',
        "upstream sent too big header while reading response header from upstream",
        "client intended to send too large body: 30000000 bytes",
        'limiting requests, excess: 0.5 by zone "wecom_gateway_rate_200"',
        'open() "/etc/nginx/wecom-gateway/verify/a.edu.cn/WW_verify_x.txt" failed (2: No such file or directory)',
    ],
)
def test_the_reason_and_whose_request_it_was_are_kept_and_what_carries_codes_is_not(errors, reason):
    errors.say(HEAD + WHEN + reason + OF + ASKED + BY)
    assert errors.lines() == [WHEN + reason + KEPT]


@pytest.mark.parametrize("level", ["crit", "alert", "emerg", "warn"])
def test_every_level_is_treated_alike(errors, level):
    when = WHEN.replace("error", level)
    errors.say(HEAD + when + "x" + OF + ASKED + BY)
    assert errors.lines() == [when + "x" + KEPT]


@pytest.mark.parametrize(
    "asked",
    [
        f'GET /x?a="b"&code={CODE} HTTP/1.1',
        f"GET /x?a=?b?code={CODE} HTTP/1.1",
        f"GET /x?code={CODE} HTTP/2.0",
        f"GET /x%3Fcode={CODE} HTTP/1.1",
        f"GET /x%3fcode={CODE} HTTP/1.1",
        f"GET /x#code={CODE} HTTP/1.1",
        f"GET /x;jsessionid={CODE} HTTP/1.1",
        f"GET /x%3Bjsessionid={CODE} HTTP/1.1",
        f"GET /x%3bjsessionid={CODE} HTTP/1.1",
        f'GET /x"code={CODE} HTTP/1.1',
        # nginx 1.18 takes these too
        f"GET /x y?code={CODE} HTTP/1.1",
        f"GET /x?a b code={CODE} HTTP/1.1",
        f'GET /x?a", upstream: "https://{CODE}", host: "{CODE}", referrer: "x HTTP/1.1',
        # what is not even a request
        f"GET?code={CODE}",
        f"code={CODE}",
    ],
)
def test_no_request_brings_its_code_into_the_log(errors, asked):
    errors.say(f'{HEAD}{WHEN}it failed{OF}request: "{asked}", {BY}')
    (line,) = errors.lines()
    assert CODE not in line
    assert line.startswith(f"{WHEN}it failed{OF.removesuffix(', ')}")


def test_a_referer_that_looks_like_something_else_does_not_either(errors):
    errors.say(f'{HEAD}{WHEN}x{OF}{ASKED}referrer: "https://c.cn/", host: "{CODE}", upstream: "https://{CODE}"')
    assert errors.lines() == [f'{WHEN}x{OF}request: "GET /x"']


def test_what_an_upstream_said_is_not_repeated(errors):
    at = "while reading response header from upstream"
    errors.say(f'{HEAD}{WHEN}upstream sent invalid header: "Set-Cookie: a="{CODE}"; b={CODE}\\x00..." {at}{OF}')
    errors.say(f'{HEAD}{WHEN}upstream sent invalid header: "Location: /x?code={CODE}')
    assert errors.lines() == [
        f'{WHEN}upstream sent invalid header: "Set-Cookie" {at}{OF.removesuffix(", ")}',
        f'{WHEN}upstream sent invalid header: "Location"',
    ]


def test_a_message_that_nginx_cut_says_what_it_can_wherever_it_was_cut(errors):
    whole = f'x{OF}request: "GET /{"p" * 20}?{"a" * 40}&code={CODE} HTTP/1.1", {BY}'
    for end in range(len(whole)):
        errors.say(HEAD + WHEN + whole[:end])
    lines = errors.lines()
    assert len(lines) == len(whole)
    assert not any(CODE in line for line in lines)
    errors.say(f'{HEAD}{WHEN}x{OF}request: "GET /x?{"a" * 1000} HTTP/1.1", {BY}'.ljust(3000, "b")[: len(HEAD) + MOST])
    assert errors.lines("another")[-1] == WHEN + "x" + KEPT


def test_only_whole_lines_that_nginx_sent_are_written(errors):
    """Any user of the host may write to the socket."""
    for forged in (b"", b"\n", b"anything?code=S3cret", HEAD.encode(), f"{HEAD}code={CODE}".encode()):
        errors.say(forged)
    errors.say(f"{HEAD}{WHEN}one\r\n\x1b[2J{WHEN}two{OF}".encode() + b"\xff\xfe\x00")
    (line,) = errors.lines()
    assert line == f"{WHEN}one   [2J{WHEN}two{OF.removesuffix(', ')}"


def test_it_goes_on_in_the_file_that_logrotate_made(errors):
    errors.say(f"{HEAD}{WHEN}one{OF}")
    assert len(errors.lines()) == 1
    errors.log.rename(errors.log.with_suffix(".1"))
    errors.log.touch(mode=0o640)
    errors.say(f"{HEAD}{WHEN}two{OF}")
    assert [line.split("*5 ")[1][:3] for line in errors.lines()] == ["two"]


def test_it_is_for_root_and_its_group_alone(errors):
    errors.lines()
    assert errors.log.stat().st_mode & 0o777 == 0o640


def test_a_file_that_grows_too_large_is_cut_to_its_last_half(errors):
    old = f"{WHEN}{'x' * 990}\n"
    errors.log.write_text(old * (20_000_000 // len(old)))
    for number in range(100):
        errors.say(f"{HEAD}{WHEN}number {number} {'y' * 200}{OF}")
    lines = errors.lines()
    assert 9_000_000 < errors.log.stat().st_size < 11_000_000
    assert lines[0] + "\n" == old, "it begins with a whole line"
    assert [line.split()[6] for line in lines if " number " in line] == [str(number) for number in range(100)]


def test_a_log_that_cannot_be_written_is_a_failure_and_not_silence(tmp_path):
    (tmp_path / "error.log").symlink_to(tmp_path / "elsewhere")
    made = Errors(tmp_path)
    made.say(f"{HEAD}{WHEN}one{OF}{ASKED}")
    _, said = made.process.communicate(timeout=10)
    made.end()
    assert made.process.returncode != 0
    assert f"{made.log}: " in said.decode()
    assert CODE not in said.decode()
    assert not (tmp_path / "elsewhere").exists()


def test_it_ends_when_nothing_is_said_any_longer_and_the_next_one_goes_on(tmp_path):
    for told in (1, 2):
        made = Errors(tmp_path, seconds=0.5)
        made.say(f"{HEAD}{WHEN}one{OF}")
        assert made.process.wait(timeout=30) == 0
        made.end()
        assert made.log.read_text().count("*5 one") == told


def test_without_a_socket_it_ends_at_once(tmp_path):
    (tmp_path / "errors.pl").write_text(scripts.perl("errors"))
    command = ["perl", tmp_path / "errors.pl", tmp_path / "log"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=10)
    assert done.returncode != 0
