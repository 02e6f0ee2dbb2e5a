"""`logs` as an operator types it: what is asked for, what is refused, what is shown of the answers."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from click.testing import CliRunner
from pyinfra.api import Inventory

from gateway.cli import logs as command
from gateway.cli.main import main
from gateway.deploys import connections, host_log, log_query, log_words, shell
from gateway.deploys.host_log import HostLog
from gateway.deploys.log_query import Query
from gateway.deploys.logs import Answer, ask_hosts
from gateway.fleet.loading import Fleet

from .conftest import REPO

ID = "4f1c7d2e9b0a4c5d8e6f7a8b9c0d1e2f"
NOW = datetime(2026, 11, 28, 14, 30, tzinfo=timezone(timedelta(hours=8)))
FIELDS = {
    "time": "2026-11-28T14:29:58+08:00",
    "request_id": ID,
    "site": "a.edu.cn",
    "port": 443,
    "client": "10.1.2.3",
    "method": "POST",
    "path": "/x",
    "status": 502,
    "bytes": 1,
    "seconds": 2.5,
    "tls": "TLSv1.3",
    "upstream": "10.0.0.5:443, 10.0.0.6:443",
    "upstream_status": "504, 502",
    "upstream_seconds": "2.000, 0.500",
    "user_agent": "phone",
}


def answered(*rows: str) -> HostLog:
    """What is read of these rows of a host's answer."""
    packed = base64.b64encode(gzip.compress("\n".join(rows).encode(errors="surrogateescape"))).decode()
    return host_log.read([packed[:10], packed[10:]])


def log(*, found: int = 0, said: str = "", **fields: object) -> HostLog:
    rows = [f"line {json.dumps(FIELDS | fields)}", f"count {found or 1} 0 0", *([f"said {said}"] if said else [])]
    return answered(*rows)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command on two hosts with a site each, with these answers; what was asked is in `run.asked`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "group_data").symlink_to(REPO / "group_data")
    sites = {name: {"domain": f"{name}.edu.cn", "edge": "tls", "platform": "wanxiao_prod"} for name in "ab"}
    hosts = [("h1", {"sites": [sites["a"]]}), ("h2", {"sites": [sites["b"]]})]
    (tmp_path / "own.py").write_text(f"hosts = {hosts!r}\n")

    def start(*options: str, answers: tuple[Answer, ...] = (Answer("h1", log=log()),), inventory: str = "own.py"):
        def ask(_, query: Query, progress: object) -> list[Answer]:
            start.asked = query
            return list(answers)

        monkeypatch.setattr(command, "ask_hosts", ask)
        return CliRunner().invoke(main, ["logs", inventory, *options], catch_exceptions=False)

    return start


# What is asked for


def test_the_last_day_is_usual_and_with_an_id_everything(run):
    assert run().exit_code == 0
    assert (
        timedelta(hours=23, minutes=59) < datetime.now().astimezone() - run.asked.since < timedelta(hours=24, minutes=1)
    )
    run("--id", f" {ID.upper()} \n")
    assert run.asked == Query(request_id=ID)
    run("--id", ID, "--since", "2h", "--site", "A.edu.cn.", "--status", "5XX", "--lines", "7")
    assert replace(run.asked, since=None) == Query(ID, "a.edu.cn", "5xx", None, 7)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("2H", NOW - timedelta(hours=2)),
        (" 1d ", NOW - timedelta(days=1)),
        ("45s", NOW - timedelta(seconds=45)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-11-27T01:00:00+08:00", datetime(2026, 11, 26, 17, tzinfo=UTC)),
        ("2026-11-28T06:00Z", datetime(2026, 11, 28, 6, tzinfo=UTC)),
    ],
)
def test_since_is_how_long_ago_or_a_date(text, moment):
    assert log_query.since(text, NOW) == moment


def test_a_date_without_a_zone_is_this_machines():
    assert log_query.since("2026-11-27", NOW) == datetime(2026, 11, 27).astimezone()
    assert log_query.since("2026-11-27 08:15", NOW) == datetime(2026, 11, 27, 8, 15).astimezone()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--id", ID[:-1]), f'--id: "{ID[:-1]}" is no request id; right would be the 32 characters'),
        (("--id", "$(reboot)"), '--id: "$(reboot)" is no request id'),
        (("--site", "c.edu.cn"), '--site: "c.edu.cn" is no site of these hosts; did you mean "'),
        (("--site", "b.edu.cn", "--limit", "h1"), '"b.edu.cn" is no site of these hosts; did you mean "a.edu.cn"?'),
        (("--status", "6xx"), '--status: "6xx" is no status; right would be one like 502, or 5xx'),
        (("--status", "50x"), "is no status"),
        (("--since", "yesterday"), '--since: "yesterday" is no time; right would be how long ago, 30m, 2h or 1d'),
        (("--since", "999999w"), "is no time"),
        (("--since", "2999-01-01"), "is still to come"),
        (("--since", "-1h"), "is no time"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_be_right(run, options, sentence):
    done = run(*options)
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert json.loads(run(*options, "--json").stdout)["error"] in done.stderr
    assert not hasattr(run, "asked")


def test_what_goes_to_a_host_has_no_meaning_to_a_shell():
    words = str(shell.read_log(Query(ID, "a.edu.cn", "5xx", NOW, 9))).rsplit("wecom-gateway ", 1)[1]
    assert words == f"{ID} a.edu.cn 5xx {int(NOW.timestamp())} 9"
    assert str(shell.read_log(Query())).endswith("wecom-gateway - - - 0 50")


# What is shown


def test_a_line_has_all_that_is_known_of_the_request(run):
    said = (
        '2026/11/28 14:29:57 [error] 7#7: *5 upstream timed out, client: 10.1.2.3, server: a.edu.cn, request: "POST /x"'
    )
    done = run("--id", ID, answers=(Answer("h1", log=log(said=said)), Answer("h2")))
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        '2026-11-28T14:29:58+08:00 h1 a.edu.cn:443 502 "POST /x" 2.5s client 10.1.2.3 upstream 10.0.0.5:443: 504 in '
        f'2.000s, 10.0.0.6:443: 502 in 0.500s TLSv1.3 id {ID} "phone"',
        f"    nginx: {said}",
    ]
    assert done.stderr == ""


def test_colours_are_for_terminals_alone(run):
    assert "\x1b" not in run().stdout
    coloured = CliRunner().invoke(main, ["logs", "own.py"], color=True).stdout
    assert "\x1b[31m502\x1b[0m" in coloured


def test_lines_of_all_hosts_are_in_one_order_whatever_their_zones(run):
    early, late = log(time="2026-11-28T14:00:00+08:00", path="/1"), log(time="2026-11-28T06:00:01+00:00", path="/2")
    done = run(answers=(Answer("h1", log=late), Answer("h2", log=early)))
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["h2", "h1"]
    done = run("--lines", "1", answers=(Answer("h1", log=late), Answer("h2", log=early)))
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["h1"]
    assert "1 line of 2 shown, the newest; more with --lines" in done.stderr


def test_a_host_that_cannot_be_asked_is_told_and_ends_with_1(run):
    silent = Answer("h2", False, "unreachable: no answer")
    done = run(answers=(Answer("h1", log=log()), silent))
    assert (done.exit_code, done.stderr) == (1, "h2: unreachable: no answer\n")
    assert len(done.stdout.splitlines()) == 1


def test_nothing_found_is_1_and_says_where_to_look(run):
    done = run("--id", ID, answers=(Answer("h1"),))
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"nothing found of the request {ID}: is it copied whole" in done.stderr
    assert "an earlier --since" in run(answers=(Answer("h1"),)).stderr


def test_what_nobody_could_read_is_not_told_as_nothing_found(run):
    silent = Answer("h2", False, "unreachable: x")
    some = run("--id", ID, answers=(Answer("h1"), silent))
    assert f"nothing found of the request {ID} on the hosts that answered" in some.stderr
    assert "nothing found on the hosts that answered since 20" in run(answers=(Answer("h1"), silent)).stderr
    for answers in ((silent,), ()):
        done = run(answers=answers)
        assert done.exit_code == 1
        assert "no log was read" in done.stderr
        assert "nothing found" not in done.stderr


def test_lines_of_earlier_releases_and_files_that_cannot_be_read_are_told(run):
    done = run(answers=(Answer("h1", log=answered(f"line {json.dumps(FIELDS)}", "line {half", "count 2 7 1")),))
    assert done.exit_code == 0
    assert "h1: 8 lines skipped that earlier releases wrote" in done.stderr
    assert "h1: 1 file of the log could not be read to the end" in done.stderr
    assert "shown" not in done.stderr


def test_what_visitors_send_steers_no_terminal(run):
    done = run(answers=(Answer("h1", log=log(user_agent="\x1b[2Jx", path="/\u202e\n")),))
    assert len(done.stdout.splitlines()) == 1
    assert '"?[2Jx"' in done.stdout
    assert '"POST /??"' in done.stdout


def test_what_visitors_send_steers_no_terminal_in_json_either(run):
    agent = "\x9b2J\u202e\x7f 学校\U000e0001"
    done = run("--json", answers=(Answer("h1", log=log(user_agent=agent)),))
    assert r"\u009b2J\u202e\u007f 学校\udb40\udc01" in done.stdout
    assert json.loads(done.stdout)["lines"][0]["user_agent"] == agent


def test_a_line_with_less_in_it_is_shown_all_the_same(run):
    """Of what could not be read as a request, and of a template of the operator's own."""
    bare = {"time": FIELDS["time"], "status": 0, "upstream": "a, b", "method": "", "path": ""}
    done = run(answers=(Answer("h1", log=answered(f"line {json.dumps(bare)}", "count 1 0 0")),))
    assert done.exit_code == 0
    assert '- "(no request that can be read)"' in done.stdout
    assert "upstream a, b" in done.stdout


@pytest.mark.parametrize("row", ["count", "count x y z", "count 1", "count 1 2 -3", "count " + "9" * 5000 + " 1 1"])
def test_a_count_that_is_none_is_told_as_not_read(row):
    assert answered(row) == HostLog(unread=1)


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "1", '{"time": 1}', '{"time": "x"}', "{}", '{"time"'])
def test_a_line_that_is_none_ends_nothing(text):
    found = answered(f"line {text}", "count 1 0 0")
    assert (found.lines, found.found, found.older) == ((), 0, 1)


@pytest.mark.parametrize("output", [[], ["no base64"], ["H4sIAAAA"], [base64.b64encode(b"x").decode()]])
def test_an_answer_that_cannot_be_read_is_told(output):
    assert host_log.read(output) == HostLog(unread=1)


def test_json_has_the_fields_as_nginx_wrote_them(run):
    done = run("--json", answers=(Answer("h1", log=log(found=3)), Answer("h2", False, "unreachable: x")))
    assert done.exit_code == 1
    data = json.loads(done.stdout)
    assert data["lines"] == [{"host": "h1", **FIELDS}]
    assert data["hosts"] == [
        {"host": "h1", "reachable": True, "problem": "", "found": 3, "older": 0, "unread": 0},
        {"host": "h2", "reachable": False, "problem": "unreachable: x", "found": 0, "older": 0, "unread": 0},
    ]


def test_only_the_hosts_of_a_site_are_asked_and_one_that_does_not_answer_is_told(parse, monkeypatch):
    site = {"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}
    host, problems = parse(site)
    assert not problems
    other = replace(host, name="other", sites=())
    inventory = Inventory(([(host.name, {"ssh_hostname": "127.0.0.1", "ssh_port": 1}), "other"], {}))
    fleet = Fleet((host, other), (), inventory)
    (answer,) = ask_hosts(fleet, Query(site="a.edu.cn"), lambda *_: None)
    assert (answer.host, answer.reachable) == (host.name, False)
    assert "nothing listens at 127.0.0.1, port 1" in answer.problem


def test_a_host_that_takes_too_long_is_told_as_that(parse, monkeypatch):
    """Weeks of large logs; sudo has nothing to do with it."""

    def slow(*_, **__):
        raise TimeoutError

    monkeypatch.setattr(connections.Connector, "connect", lambda _: None)
    monkeypatch.setattr(connections.Connector.__mro__[2], "run_shell_command", slow)
    host, _ = parse({"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"})
    inventory = Inventory(([(host.name, {"ssh_hostname": "127.0.0.1"})], {}))
    (answer,) = ask_hosts(Fleet((host,), (), inventory), Query(), lambda *_: None)
    assert answer.problem == "no answer within 300 seconds; look there whether it is busy"


def test_errors_in_the_inventory_end_with_1_and_the_others_are_asked(run, tmp_path):
    text = (tmp_path / "own.py").read_text().replace("'b.edu.cn'", "'*.edu.cn'")
    (tmp_path / "own.py").write_text(text)
    done = run()
    assert done.exit_code == 1
    assert "error: h2" in done.stderr
    assert len(done.stdout.splitlines()) == 1


def test_newest_keeps_what_was_said_beside_its_line():
    (found,) = log_words.newest([Answer("h1", log=log())], 5)
    assert found.as_data() == {"host": "h1", **FIELDS}
    assert replace(found, said=("x",)).as_data()["said"] == ["x"]


# The guide


def _commands(page: str) -> list[str]:
    return re.findall(r"^jq -.*$", (REPO / "docs" / page).read_text(), re.MULTILINE)


def test_both_languages_have_the_same_six_questions():
    assert _commands("logs.md") == _commands("logs.zh.md")
    assert len(_commands("logs.md")) == 6


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
@pytest.mark.parametrize("question", _commands("logs.md"))
def test_jq_answers_each_of_the_questions(question, tmp_path):
    quick = {"seconds": 0.5, "status": 200, "path": "/学", "upstream": "", "upstream_status": ""}
    lines = [FIELDS, FIELDS | quick, FIELDS | {"status": 0, "upstream": "unix:/x", "upstream_status": "-"}]
    (tmp_path / "lines.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = subprocess.run(["bash", "-c", question], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.strip()
