"""Which addresses of an upstream nginx gets, as what DNS says of its name changes from one look to the next."""

from __future__ import annotations

import contextlib
import itertools
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .host_scripts import body, run


@pytest.fixture
def upstreams(tmp_path):
    (tmp_path / "upstreams").mkdir()
    (tmp_path / "names").write_text("a.example 443\nb.example 8443\n")
    return tmp_path / "upstreams"


def _write(upstreams: Path, addresses: str) -> subprocess.CompletedProcess[str]:
    return run("resolve", f'write_addresses {upstreams.parent}/names "{addresses}"', upstreams.parent)


def test_addresses_are_written_by_name_and_named_once_changed(upstreams):
    assert _write(upstreams, "a.example 10.0.0.1\na.example [2001:db8::1]").stdout == "a.example\nb.example\n"
    assert (upstreams / "a.example_443.conf").read_text() == "server 10.0.0.1:443;\nserver [2001:db8::1]:443;\n"
    assert (upstreams / "b.example_8443.conf").read_text() == "server 127.0.0.1:9 down;\n"
    assert _write(upstreams, "b.example 10.0.0.2").stdout == "b.example\n"
    assert (upstreams / "a.example_443.conf").read_text() == "server 10.0.0.1:443;\nserver [2001:db8::1]:443;\n"
    assert _write(upstreams, "b.example 10.0.0.2").stdout == ""


def test_a_full_disk_leaves_the_addresses_that_there_were(upstreams):
    """nginx does not start with an empty file."""
    _write(upstreams, "a.example 10.0.0.1\nb.example 10.0.0.2")
    (upstreams / "a.example_443.conf.new").symlink_to("/dev/full")
    done = _write(upstreams, "a.example 10.0.0.9\nb.example 10.0.0.3")
    assert done.stdout == "b.example\n"
    assert "addresses of a.example cannot be stored" in done.stderr
    assert (upstreams / "a.example_443.conf").read_text() == "server 10.0.0.1:443;\n"
    assert not (upstreams / "a.example_443.conf.new").is_symlink()


def test_an_emptied_file_of_addresses_is_filled_again(upstreams):
    (upstreams / "a.example_443.conf").write_text("")
    assert "a.example\n" in _write(upstreams, "").stdout
    assert (upstreams / "a.example_443.conf").read_text() == "server 127.0.0.1:9 down;\n"


def test_names_are_resolved_as_the_host_does(upstreams):
    (upstreams.parent / "names").write_text("localhost 443\nlocalhost 8443\nnobody.invalid 443\n")
    done = run("resolve", f"resolve_names {upstreams.parent}/names | sort -u", upstreams.parent)
    assert "localhost 127.0.0.1" in done.stdout.splitlines()
    assert "nobody" not in done.stdout


NAME = "a.example"
START = 1_700_000_000


@pytest.fixture
def look(tmp_path) -> Callable[..., list[str]]:
    """look(SECONDS, ADDRESS...): what nginx has of a.example once DNS has said so, so many seconds after the start."""
    (tmp_path / "upstreams").mkdir()

    def look(seconds: int, *addresses: str, port: int = 443, waiting: str = "") -> list[str]:
        (tmp_path / "names").write_text(f"{NAME} {port}\n")
        answers = "\n".join(f"{NAME} {address}" for address in addresses)
        done = run(
            "resolve",
            f'date() {{ echo {START + seconds}; }}; write_addresses $home/names "{answers}" {waiting} >$home/changed',
            tmp_path,
        )
        assert done.stderr == ""
        return (tmp_path / "upstreams" / f"{NAME}_{port}.conf").read_text().splitlines()

    return look


@pytest.fixture
def listening() -> Iterator[int]:
    """A port that takes connections at 127.0.0.1 to 127.0.0.4."""
    with contextlib.ExitStack() as stack:
        port = 0
        for last in range(1, 5):
            port = stack.enter_context(socket.create_server((f"127.0.0.{last}", port))).getsockname()[1]
        yield port


def test_an_address_that_moves_is_asked_at_once_and_the_old_one_kept_for_ten_minutes_in_case(look):
    """Asked as well, an old address that swallows what is sent to it would cost visitors five seconds each."""
    assert look(0, "127.0.0.1") == ["server 127.0.0.1:443;"]
    moved = ["server 127.0.0.2:443 max_fails=0;", "server 127.0.0.1:443 backup;"]
    assert look(30, "127.0.0.2") == moved
    assert look(600, "127.0.0.2") == moved
    assert look(601, "127.0.0.2") == ["server 127.0.0.2:443;"]


def test_alone_before_old_ones_the_new_address_is_never_left_out(look):
    """nginx leaves out a server for ten seconds after one failure; with one server there would be the old ones only."""
    look(0, "127.0.0.1", "127.0.0.2")
    assert look(30, "127.0.0.3", "127.0.0.4") == [
        *("server 127.0.0.3:443;", "server 127.0.0.4:443;"),
        *("server 127.0.0.1:443 backup;", "server 127.0.0.2:443 backup;"),
    ]
    assert look(60, "127.0.0.3")[0] == "server 127.0.0.3:443 max_fails=0;"


def test_answers_that_differ_each_time_are_all_asked(look, listening):
    for number in range(6):
        found = look(number * 30, f"127.0.0.{number % 3 + 1}", port=listening)
    assert found == [f"server 127.0.0.{number}:{listening};" for number in (1, 2, 3)]


def test_so_are_those_of_a_resolver_that_keeps_each_answer_for_minutes(look, listening):
    for seconds in range(0, 1500, 60):
        found = look(seconds, f"127.0.0.{seconds // 300 % 2 + 1}", port=listening)
        if seconds >= 600:
            assert found == [f"server 127.0.0.{number}:{listening};" for number in (1, 2)], seconds


def test_an_address_that_rotates_goes_ten_minutes_after_it_was_last_seen(look, listening):
    for number, last in enumerate((1, 2, 3)):
        look(number * 30, f"127.0.0.{last}", port=listening)
    for seconds in (*range(90, 600, 60), 600, 601, 640):
        found = look(seconds, f"127.0.0.{seconds // 30 % 2 + 3}", port=listening)
        assert (f"server 127.0.0.1:{listening};" in found) == (seconds <= 600), seconds
    assert f"server 127.0.0.2:{listening};" not in found


def test_one_that_rotates_and_takes_no_connections_is_only_kept_in_case(look, listening):
    look(0, "127.0.0.9", port=listening)
    look(30, "127.0.0.2", port=listening)
    assert look(60, "127.0.0.3", port=listening) == [
        *(f"server 127.0.0.{number}:{listening};" for number in (2, 3)),
        f"server 127.0.0.9:{listening} backup;",
    ]


def test_a_name_that_is_gone_for_a_while_keeps_all_of_its_addresses(look):
    look(0, "127.0.0.1")
    moved = look(30, "127.0.0.2")
    assert look(3600) == moved
    # and is up to date with its first answer
    assert look(3630, "127.0.0.3") == ["server 127.0.0.3:443;"]


def test_what_a_host_has_from_before_counts_as_just_seen(look, tmp_path):
    """From an earlier version, or from before a reboot."""
    file = tmp_path / "upstreams" / f"{NAME}_443.conf"
    file.write_text("server 127.0.0.1:443;\nserver [2001:db8::1]:443;\n")
    assert look(0, "127.0.0.1", "[2001:db8::1]") == ["server 127.0.0.1:443;", "server [2001:db8::1]:443;"]
    (tmp_path / "memory").unlink()
    old = ["server 127.0.0.1:443 backup;", "server [2001:db8::1]:443 backup;"]
    assert look(30, "127.0.0.2") == ["server 127.0.0.2:443 max_fails=0;", *old]
    (tmp_path / "memory").unlink()
    assert look(60, "127.0.0.2") == ["server 127.0.0.2:443 max_fails=0;", *old]
    assert look(661, "127.0.0.2") == ["server 127.0.0.2:443;"]


def test_what_can_wait_does_and_what_cannot_takes_the_rest_along(look):
    two = ["server 127.0.0.1:443;", "server 127.0.0.2:443;"]
    assert look(0, "127.0.0.1", "127.0.0.2") == two
    # nginx still asks one that DNS names
    assert look(30, "127.0.0.2", "127.0.0.3", waiting="waiting") == two
    assert look(60, "127.0.0.3", "127.0.0.4", waiting="waiting")[:2] == [
        *("server 127.0.0.3:443;", "server 127.0.0.4:443;")
    ]


def test_a_memory_that_cannot_be_written_is_told_and_costs_nothing_else(upstreams):
    (upstreams.parent / "memory.new").symlink_to("/dev/full")
    done = _write(upstreams, "a.example 10.0.0.1")
    assert done.stdout == "a.example\nb.example\n"
    assert "is /run full?" in done.stderr


# An hour of rounds: the whole of resolve.sh with a clock and an nginx of its own. Each reload finds a stream on each of
# the 4 workers, and none ever ends.
HOUR = """
exec 2>&1
echo "a.example 443" >$home/current/upstreams
workers=4 old=0
date() { echo $now; }
resolve_names() { answer; }
count_workers() { echo "$workers $(<$home/old)"; }
master_pid() { echo 1; }
run_nginx() { :; }
reload_nginx() { echo $(($(<$home/old) + workers)) >$home/old; echo reloaded at $now; }
echo 0 >$home/old
"""


def _rounds(home: Path, answer: str, seconds: int = 3600, silent: str = "silent_addresses() { :; }") -> list[int]:
    """When nginx was reloaded; `answer` prints what DNS says at `$now`."""
    (home / "upstreams").mkdir()
    (home / "current").mkdir()
    done = run(
        "resolve",
        f"{HOUR}\n{silent}\nanswer() {{ {answer}; }}\nround() (\n{body('resolve')}\n)\n"
        f"for ((now = 0; now < {seconds}; now += 30)); do round >>$home/said; done; cat $home/said",
        home,
    )
    lines = done.stdout.splitlines()
    assert all(line.startswith(("reloaded at ", "addresses changed, ")) for line in lines), done.stdout
    return [int(line.rpartition(" ")[2]) for line in lines if line.startswith("reloaded at ")]


def test_in_an_hour_of_answers_that_never_repeat_nginx_is_reloaded_a_few_times(tmp_path):
    """Without the pauses it would be 120 times, with 480 old workers at the end."""
    reloads = _rounds(tmp_path, "echo a.example 127.0.$((now / 3000)).$((now / 30 % 100 + 1))")
    assert 3 <= len(reloads) <= 8, reloads
    pauses = [after - before for before, after in itertools.pairwise(reloads)]
    # the second answer is taken for a move
    assert all(later >= sooner for sooner, later in itertools.pairwise(pauses[1:])), pauses


def test_a_move_waits_for_nobody(tmp_path):
    """In the same hour, when all that nginx asks has gone silent and the answers name others."""
    answer = "echo a.example 127.0.0.$((now < 900 ? now / 30 % 100 + 1 : 200))"
    silent = "silent_addresses() { [ $now -lt 900 ] || printf 'a.example 443 127.0.0.%s\\n' $(seq 100); }"
    assert 900 in _rounds(tmp_path, answer, 930, silent)


def test_addresses_that_stay_reload_nothing(tmp_path):
    assert _rounds(tmp_path, "echo a.example 127.0.0.1", 900) == [0]


@pytest.mark.parametrize(
    ("new", "old", "seconds"),
    [(4, 0, 30), (4, 1, 60), (4, 4, 60), (4, 5, 120), (1, 7, 3840), (0, 0, 30), (1, 1000, 30 << 16)],
)
def test_each_generation_of_old_workers_doubles_the_pause(tmp_path, new, old, seconds):
    assert run("resolve", f"pause_with {new} {old}", tmp_path).stdout == f"{seconds}\n"


def test_old_workers_are_told_from_new_ones(tmp_path):
    """By the names that nginx gives its processes."""
    titles = {
        "nginx: worker process": 2,
        "nginx: worker process is shutting down": 3,
        "nginx: cache manager process": 1,
        "other": 1,
    }
    starts = "\n".join(f"bash -c 'exec -a \"{title}\" sleep 30' &" * count for title, count in titles.items())
    commands = f"{starts}\nsystemctl() {{ echo MainPID=$$; }}\nsleep 0.3\ncount_workers\nkill $(jobs -p)"
    assert run("resolve", commands, tmp_path).stdout == "2 3\n"
