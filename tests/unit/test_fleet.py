"""Whole inventories: loaded as pyinfra does, checked before anything is connected to."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gateway.fleet.loading import InventoryError, load

from .conftest import REPO
from .forked import gateway, pyinfra


@pytest.fixture
def inventory(tmp_path, monkeypatch):
    """Writes an inventory; loading happens from the repository's top, as operators do."""
    monkeypatch.chdir(REPO)

    def write(text: str) -> str:
        # pyinfra keeps compiled inventories by name for the length of a process
        path = tmp_path / f"inventory{len(list(tmp_path.iterdir()))}.py"
        path.write_text(text)
        return str(path)

    return write


TWO = """
wanxiao_prod = [("a1", {"sites": [{"domain": "wx.a.edu.cn", "edge": "slb"}]})]
wanxiao_test = [("b1", {"sites": [{"domain": "wx.b.edu.cn", "edge": "slb"}]}),
                ("b2", {"sites": [{"domain": "wx.c.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}]})]
"""


def test_the_group_picks_the_platform_and_a_site_may_differ(inventory):
    fleet = load(inventory(TWO))
    assert {host.name: host.sites[0].platform for host in fleet.hosts} == {
        "a1": "wanxiao_prod",
        "b1": "wanxiao_test",
        "b2": "wanxiao_prod",
    }


@pytest.mark.parametrize(
    ("limit", "names"),
    [(["wanxiao_test"], {"b1", "b2"}), (["b*"], {"b1", "b2"}), (["a1", "b2"], {"a1", "b2"})],
)
def test_limit_means_what_it_means_to_pyinfra(inventory, limit, names):
    assert {host.name for host in load(inventory(TWO), limit=limit).hosts} == names


def test_exclude_leaves_hosts_out(inventory):
    assert {host.name for host in load(inventory(TWO), exclude=["wanxiao_test"]).hosts} == {"a1"}


def test_a_limit_that_names_nothing_is_an_error(inventory):
    with pytest.raises(InventoryError, match="--limit nope"):
        load(inventory(TWO), limit=["nope"])


def test_problems_outside_the_limit_do_not_stop_the_rest(inventory):
    text = TWO.replace("wx.a.edu.cn", "WX.a.edu.cn")
    assert any(problem.severity == "error" for problem in load(inventory(text)).problems)
    assert not any(problem.severity == "error" for problem in load(inventory(text), limit=["b1"]).problems)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = [\n", "was never closed"),
        ("\n\nx = [1 / 0]\n", ":3: ZeroDivisionError"),
        ("", "no hosts"),
        ("import nonsense_module\n", "nonsense_module"),
    ],
)
def test_an_inventory_that_is_no_python_names_the_line(inventory, text, reason):
    with pytest.raises(InventoryError, match=reason):
        load(inventory(text))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"x = 1\0\n", "null bytes"), ("x = '大学'".encode("gbk"), "is not UTF-8 text; save it as UTF-8")],
)
@pytest.mark.parametrize("name", ["bytes.py", "group_data/wanxiao_prod.py"])
def test_a_file_that_is_no_text_is_named(tmp_path, monkeypatch, name, content, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "group_data").mkdir()
    (tmp_path / "bytes.py").write_text(TWO)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InventoryError) as told:
        load(str(tmp_path / "bytes.py"))  # pyinfra keeps compiled files by name
    message = str(told.value)
    assert name in message.partition(": ")[0]
    assert reason in message
    assert "None" not in message


def test_an_imported_file_that_is_no_text_is_told_at_the_import(inventory, tmp_path, monkeypatch):
    (tmp_path / "imported_bytes.py").write_bytes(b"x = 1\0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InventoryError, match=r":2: SyntaxError: .*null bytes"):
        load(inventory("\nimport imported_bytes\n"))


def test_a_host_with_two_entries_is_refused_because_one_would_be_lost(inventory):
    text = TWO.replace('("b1"', '("a1"')
    (problem,) = [one for one in load(inventory(text)).problems if one.severity == "error"]
    assert str(problem).startswith("a1: sites: has two entries with data")


def test_a_missing_inventory_is_an_error():
    with pytest.raises(InventoryError, match="no such file"):
        load("inventory/nothing.py")


@pytest.mark.parametrize("name", ["prod", "test", "demo"])
def test_the_shipped_inventories_lack_nothing_but_certificates(monkeypatch, name):
    monkeypatch.chdir(REPO)
    wrong = [problem for problem in load(f"inventory/{name}.py").problems if problem.severity == "error"]
    assert all(problem.field == "cert" and "is missing" in problem.text for problem in wrong), wrong


def test_a_bad_inventory_stops_pyinfra_before_it_connects_with_every_problem(inventory):
    text = TWO.replace("wx.a.edu.cn", "WX.a.edu.cn").replace("wx.b.edu.cn", "*.b.edu.cn")
    # a host that would hang if it were connected to
    text += 'bkitsm = [("192.0.2.1", {"sites": [{"domain": "wx.d.edu.cn", "edge": "xxx"}]})]'
    done = pyinfra("-y", inventory(text), "deploy.py")
    assert done.returncode == 1
    for place in ("a1: WX.a.edu.cn: domain:", "b1: *.b.edu.cn: domain:", "192.0.2.1: wx.d.edu.cn: edge:"):
        assert place in done.stderr
    assert "Connecting" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "4 problems" in done.stderr  # and its platform needs "bk"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("bad..name", "", 'bad..name: "bad..name" is no host name or address'),
        ("192.0.2.1", '"ssh_port": "2222", ', "192.0.2.1: ssh_port: is of type str"),
        ("", "", "bkitsm[0]: is no host"),
    ],
)
def test_a_deploy_stops_at_a_host_that_it_could_not_connect_to(inventory, name, data, message):
    text = f'{TWO}bkitsm = [("{name}", {{{data}"sites": [{{"domain": "wx.d.edu.cn", "edge": "slb"}}]}})]\n'
    done = pyinfra("-y", inventory(text), "deploy.py")
    assert done.returncode == 1
    assert message in done.stderr
    assert "no host was contacted" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_deploy_to_a_name_that_is_none_is_one_message():
    done = pyinfra("-y", "a..b", "deploy.py")
    assert done.returncode == 1
    assert "a..b: no hosts can be read from it" in done.stderr
    assert "Traceback" not in done.stderr


def test_debugging_an_inventory_works_even_when_it_is_wrong(inventory):
    done = pyinfra(inventory(TWO.replace("wx.a.edu.cn", "WX.a.edu.cn")), "debug-inventory")
    assert done.returncode == 0, done.stderr
    assert "WX.a.edu.cn" in done.stdout + done.stderr


def test_check_exits_with_what_it_found(inventory):
    command = [sys.executable, "-m", "gateway", "check", inventory(TWO)]
    good = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert good.returncode == 0
    assert "3 sites can be deployed, 0 errors, 3 warnings" in good.stdout
    bad = gateway("check", inventory(TWO.replace("wx.a", "WX.a")), "--json")
    assert bad.returncode == 1
    assert '"field": "domain"' in bad.stdout
    broken = gateway("check", inventory("x = ["))
    assert broken.returncode == 1
    assert "Traceback" not in broken.stderr


def _at(*hosts: str) -> str:
    """An inventory of one school for each host, given as name and data in its source."""
    entries = [
        f'("{name}", {{{data}"sites": [{{"domain": "wx{number}.a.edu.cn", "edge": "slb"}}]}}),'
        for number, (name, _, data) in enumerate(host.partition(" ") for host in hosts)
    ]
    return f"wanxiao_prod = [{' '.join(entries)}]\n"


def _errors(fleet):
    return [str(problem) for problem in fleet.problems if problem.severity == "error"]


@pytest.mark.parametrize(
    "hosts",
    [
        ('gw-a "ssh_hostname": "203.0.113.10", ', 'gw-b "ssh_hostname": "203.0.113.10", '),
        ("203.0.113.10", 'gw-b "ssh_hostname": "203.0.113.10", '),
        ("203.0.113.10", 'gw-b "ssh_hostname": "203.0.113.10", "ssh_port": 22, "ssh_user": "ops", '),
        ('a "ssh_hostname": "127.0.0.1", "ssh_port": 2222, ', 'b "ssh_hostname": "127.0.0.1", "ssh_port": 2222, '),
        ("gw.a.edu.cn", "GW.a.edu.cn."),
        ("gw.a.edu.cn", "@ssh/gw.a.edu.cn"),
        ("2001:db8::10", "2001:DB8:0::10"),
    ],
)
def test_two_names_for_one_address_are_refused_because_each_deploy_would_undo_the_other(inventory, hosts):
    wrong = _errors(load(inventory(_at(*hosts))))
    names = [host.partition(" ")[0] for host in hosts]
    assert [text.partition(": ssh_hostname: ")[0] for text in wrong] == names
    for text, other in zip(wrong, reversed(names), strict=True):
        assert f" is the address of {other} too" in text
        assert "put all its sites into one entry" in text


def test_the_other_name_of_an_address_may_lie_outside_the_limit(inventory):
    """A host's release is the whole tree: a deploy of the one would take away the sites of the other."""
    path = inventory(_at("203.0.113.10", 'gw-b "ssh_hostname": "203.0.113.10", ', "203.0.113.12"))
    (wrong,) = _errors(load(path, limit=["gw-b"]))
    assert wrong.startswith('gw-b: ssh_hostname: "203.0.113.10" is the address of 203.0.113.10 too')
    assert _errors(load(path, limit=["203.0.113.12"])) == []


@pytest.mark.parametrize(
    "hosts",
    [
        # behind one NAT, as Vagrant's machines are
        ('a "ssh_hostname": "127.0.0.1", "ssh_port": 2222, ', 'b "ssh_hostname": "127.0.0.1", "ssh_port": 2200, '),
        ("127.0.0.1", 'b "ssh_hostname": "127.0.0.1", "ssh_port": 2222, '),
        # the same inner address in two schools, each behind a jump host of its own
        ('a "ssh_hostname": "10.0.0.5", "ssh_config_file": "a", ', 'b "ssh_hostname": "10.0.0.5", '),
        ("@docker/one", "@docker/two"),
        ('@docker/one "ssh_hostname": "h", ', '@docker/two "ssh_hostname": "h", '),
        ("@local", "127.0.0.1"),
    ],
)
def test_hosts_that_only_look_alike_are_no_error(inventory, hosts):
    assert _errors(load(inventory(_at(*hosts)))) == []


def test_an_address_that_is_none_is_told_once(inventory):
    wrong = _errors(load(inventory(_at('a "ssh_hostname": 5, ', 'b "ssh_hostname": 5, '))))
    assert [text.partition(": is of type int")[0] for text in wrong] == ["a: ssh_hostname", "b: ssh_hostname"]


@pytest.mark.parametrize("name", ["marked.py", "group_data/wanxiao_prod.py"])
def test_a_byte_order_mark_is_called_by_its_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "group_data").mkdir()
    (tmp_path / "marked.py").write_text(TWO)
    (tmp_path / name).write_text("x = 1\n" if "/" in name else TWO, encoding="utf-8-sig")
    with pytest.raises(InventoryError) as told:
        load(str(tmp_path / "marked.py"))
    assert str(told.value) == f"{tmp_path / name}: starts with a byte order mark; save it as UTF-8 without BOM"


def test_an_invisible_character_inside_a_file_is_told_with_its_line(inventory):
    with pytest.raises(InventoryError, match=r":2: invalid non-printable character U\+FEFF"):
        load(inventory("x = 1\n\ufeffy = 2\n"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("inventory", "inventory: is a folder; name a file, for example inventory/prod.py"),
        ("inventory/", "inventory/: is a folder; name a file, for example inventory/prod.py"),
        ("inventory/prod", "inventory/prod: no such file; did you mean inventory/prod.py?"),
    ],
)
def test_what_is_almost_an_inventory_leads_to_it(monkeypatch, name, message):
    monkeypatch.chdir(REPO)
    with pytest.raises(InventoryError) as told:
        load(name)
    assert str(told.value) == message


@pytest.mark.parametrize("name", ["ending.py", "group_data/wanxiao_prod.py"])
@pytest.mark.parametrize("end", ["sys.exit()", "sys.exit(0)", "sys.exit('no vault token')", "raise SystemExit"])
def test_a_file_that_ends_the_run_is_an_error_and_no_clean_check(tmp_path, name, end):
    (tmp_path / "group_data").mkdir()
    (tmp_path / "ending.py").write_text(TWO)
    (tmp_path / name).write_text(f"import sys\n\n{end}\n")
    done = gateway("check", "--json", "ending.py", folder=tmp_path)
    assert done.returncode == 1
    message = json.loads(done.stdout)["error"]
    assert f"{name}:3: ends the run" in message
    assert ("no vault token" in message) == ("no vault token" in end)


def test_an_import_that_ends_the_run_is_told_at_the_import(inventory, tmp_path, monkeypatch):
    (tmp_path / "imported_exit.py").write_text("raise SystemExit(0)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InventoryError, match=r":2: ends the run"):
        load(inventory("\nimport imported_exit\n"))
