"""The whole deploy on pyinfra's @fake connector: which commands run, and what they never carry."""

from __future__ import annotations

import base64
import io
import json
import logging
import shlex
import tarfile
from contextlib import nullcontext

import pytest
from pyinfra.api import Config, Inventory, State
from pyinfra.api.command import StringCommand
from pyinfra.api.connect import connect_all
from pyinfra.api.deploy import add_deploy
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.operations import run_ops
from pyinfra.context import ctx_state

from gateway import product
from gateway.deploys import operations, origin, stages
from gateway.deploys.neighbours import ENTRIES
from gateway.fleet.parsing import parse_host
from gateway.nginx import release
from gateway.nginx.build import Build
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

from .conftest import PLATFORMS

# What only one of the scripts says.
MARKS = {
    "publish": "base64 -d",
    "activate": "held_ports",
    "manifest": "case $2 in",
    "state": "apt-cache policy",
    "obtain": "declare -A secrets",
    "open_ports": "--permanent --add-port",
    "withdraw": 'drop_units ""',
}


def _state_output(current: str = "", digest: str = "") -> str:
    entry = {"entry:/etc/nginx/conf.d/wecom-gateway.conf": "yes"} if current else {}
    target = f"releases/{current}" if current else ""
    version = "nginx version: nginx/1.22.1"
    seen = {"version": version, "ipv6": "yes", "current": target, "digest": digest, "activated": current}
    return "".join(f"{key} {value}\n" for key, value in {**seen, **entry, "room": "yes", "running": current}.items())


class Run:
    """One deploy of `sites` to one fake host, and everything that went over the wire.

    `later` is a part of a command and what the host answers otherwise from then on.
    """

    def __init__(self, files, monkeypatch, sites, responses, more, stops=False, later=None, does=stages.deploy):
        monkeypatch.chdir(files.parent)
        self.stdin: list[str] = []
        # by command
        self.environments: dict[str, dict[str, str]] = {}
        data = {
            "sites": sites,
            "platforms": PLATFORMS,
            "fake_delay": 0,
            "fake_delay_jitter": 0,
            "fake_responses": responses,
            **more,
        }
        self.state = State(Inventory((["@fake/one"], data)), Config())
        host = self.state.inventory.get_host("@fake/one")
        connect_all(self.state)
        original = host.connector.run_shell_command

        def record(command, *positional, **arguments):
            self.environments[str(command)] = arguments.get("_env") or {}
            if isinstance(command, StringCommand) and arguments.get("_stdin"):
                self.stdin.append(arguments["_stdin"])
            if later and later[0] in str(command):
                host.connector.data["fake_responses"].update(later[1])
            return original(command, *positional, **arguments)

        host.connector.run_shell_command = record
        with ctx_state.use(self.state):
            add_deploy(self.state, does)
            self.prepared = self.state.meta[host].ops_change
            with pytest.raises(PyinfraError, match="No hosts remaining") if stops else nullcontext():
                run_ops(self.state)
        self.commands = host.connector.executed_commands
        self.changed = [
            ",".join(self.state.op_meta[op].names)
            for op, data in self.state.ops[host].items()
            if data.operation_meta.is_complete() and data.operation_meta.did_change()
        ]

    def uploaded(self, path: str) -> bytes:
        (sent,) = self.stdin
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode(sent))) as archive:
            return archive.extractfile(path).read()

    def scripts(self, name: str) -> list[str]:
        return [command for command in self.commands if MARKS[name] in command]


@pytest.fixture
def run(files, monkeypatch):
    def start(sites, responses, stops=False, later=None, does=stages.deploy, **more):
        answers = {MARKS.get(name, name): answer for name, answer in responses.items()}
        return Run(files, monkeypatch, sites, answers, more, stops, later, does)

    return start


def _sites(count: int):
    return [{"domain": f"s{n}.edu.cn", "edge": "slb", "platform": "wanxiao_prod"} for n in range(count)]


def test_a_first_deploy_publishes_and_activates(run):
    done = run(_sites(2), {"state": _state_output()})
    assert done.changed == ["Publish the release", "Activate the release"]
    assert len(done.scripts("publish")) == len(done.scripts("activate")) == 1
    assert b" s1.edu.cn;" in done.uploaded("sites/wanxiao_prod-slb.conf")


def test_the_version_goes_to_the_host_beside_where_the_release_came_from(run):
    """Not into that record: an earlier version believes one of six fields only, the time included."""
    (sent,) = run(_sites(1), {"state": _state_output()}).scripts("activate")
    *_, came_from, version = shlex.split(sent)
    assert version == product.version()
    assert origin.read(f"{came_from} 2026-11-20T01:13:00Z").by


def test_a_second_deploy_changes_nothing(run, files):
    parsed, _ = parse_host("one", {"platforms": PLATFORMS, "sites": _sites(2)}, files)
    built = release.build(tree(parsed, Build(Version((1, 22, 1)))))
    done = run(_sites(2), {"state": _state_output(built.id, built.digest())})
    assert done.changed == []
    assert done.prepared == 0
    assert not done.stdin


def test_a_deploy_with_nothing_to_do_reads_the_host_once_before_and_once_while_executing(run, files):
    parsed, _ = parse_host("one", {"platforms": PLATFORMS, "sites": _sites(2)}, files)
    built = release.build(tree(parsed, Build(Version((1, 22, 1)))))
    done = run(_sites(2), {"state": _state_output(built.id, built.digest())})
    assert len(done.commands) == len(done.scripts("state")) == 2


def test_nginx_is_held_back_while_it_is_installed(run):
    # which the fake host never is
    done = run(_sites(1), {"state": "candidate 1.22.1-9\nmissing nginx ca-certificates\n"}, stops=True)
    order = [place for place, command in enumerate(done.commands) if "apt-get" in command and " install " in command]
    (held,) = [place for place, command in enumerate(done.commands) if "ConditionPathExists" in command]
    (settled,) = [place for place, command in enumerate(done.commands) if "systemctl disable --quiet" in command]
    assert held < order[0] <= order[-1] < settled


def test_a_host_with_an_nginx_of_its_own_gets_nothing_installed(run):
    own = "nginx:/usr/local/nginx/sbin/nginx 55 nginx.service nginx/1.18.0\n"
    done = run(_sites(1), {"state": "candidate 1.22.1-9\nmissing nginx ca-certificates\n" + own}, stops=True)
    assert not [command for command in done.commands if "apt-get" in command or "ConditionPathExists" in command]


def test_beside_an_nginx_of_the_host_s_own_no_other_is_installed(run):
    own = "foreign yes\nlayout:program /usr/local/nginx/sbin/nginx\nlayout:unit theirs.service\nmain_pid 55\n"
    done = run(_sites(1), {"state": _state_output() + own + "missing nginx ca-certificates libnginx-mod-stream\n"})
    (line,) = [command for command in done.commands if " install ca-" in command]
    assert "nginx" not in line
    (activated,) = done.scripts("activate")
    assert "nginx_program=/usr/local/nginx/sbin/nginx" in activated
    assert "nginx_unit=theirs.service" in activated


@pytest.mark.parametrize("manager", ["dnf", "yum"])
def test_an_rpm_system_gets_what_is_missing_by_its_own_manager_and_nothing_is_brought_up_to_date(run, manager):
    bare = f"layout:packages {manager}\nepel yes\nmissing nginx perl(Fcntl)\n"
    done = run(_sites(1), {"state": bare}, stops=True)
    first, second = [command for command in done.commands if f"{manager} install -y" in command]
    assert "epel-release" in first
    assert "nginx" in second
    assert "epel-release" not in second
    assert not [command for command in done.commands if f"{manager} update" in command or "apt-get" in command]


@pytest.mark.parametrize(
    ("wanted", "open_now", "opens"),
    [(True, "ssh 80/tcp", "9001"), (True, "http 9001/tcp", None), (False, "ssh", None), (True, None, None)],
)
def test_firewalld_lets_in_what_the_sites_need_where_that_is_wanted(run, wanted, open_now, opens):
    told = "" if open_now is None else f"firewall {open_now}\n"
    done = run(_sites(1), {"state": _state_output() + told}, firewall=wanted)
    arguments = [command.rpartition("wecom-gateway ")[2] for command in done.scripts("open_ports")]
    assert arguments == ([opens] if opens else [])


def test_missing_packages_are_installed_by_name(run):
    done = run(_sites(1), {"state": _state_output() + "missing ca-certificates\n"})
    assert done.changed[0] == "Install nginx and the trust store"
    (line,) = [command for command in done.commands if " install ca-" in command]
    assert "nginx" not in line
    # Ubuntu's needrestart restarts services after apt, unless it is told not to
    assert done.environments[line]["NEEDRESTART_MODE"] == "l"


@pytest.mark.parametrize("egress", [None, {"listen": "10.0.0.5:443", "allow": ["10.0.0.0/24"]}])
def test_the_stream_module_is_installed_for_egress_alone(run, egress):
    done = run(_sites(1), {"state": _state_output() + "missing libnginx-mod-stream\n"}, egress=egress)
    assert ("Install nginx and the trust store" in done.changed) == (egress is not None)
    assert any(" install libnginx-mod-stream" in command for command in done.commands) == (egress is not None)


def test_drift_on_the_host_is_published_and_activated_again(run, files):
    parsed, _ = parse_host("one", {"platforms": PLATFORMS, "sites": _sites(1)}, files)
    built = release.build(tree(parsed, Build(Version((1, 22, 1)))))
    done = run(_sites(1), {"state": _state_output(built.id, "0" * 64)})
    assert done.changed == ["Publish the release", "Activate the release"]


def test_an_intact_release_that_is_not_running_is_only_activated(run, files):
    parsed, _ = parse_host("one", {"platforms": PLATFORMS, "sites": _sites(1)}, files)
    built = release.build(tree(parsed, Build(Version((1, 22, 1)))))
    state = _state_output(built.id, built.digest()).replace(f"running {built.id}", "running 0123456789abcdef")
    done = run(_sites(1), {"state": state})
    assert done.changed == ["Activate the release"]


def test_a_release_that_was_published_before_and_then_changed_by_hand_is_published_again(run, files):
    parsed, _ = parse_host("one", {"platforms": PLATFORMS, "sites": _sites(1)}, files)
    built = release.build(tree(parsed, Build(Version((1, 22, 1)))))
    old = "0123456789abcdef"
    for digest, publishes in ((built.digest(), False), ("f" * 64, True), ("", True)):
        answers = {f"{built.id} digest": f"{digest}\n", f"{old} held": "source 644 x y\n", "state": _state_output(old)}
        done = run(_sites(1), answers)
        assert bool(done.scripts("publish")) == publishes, digest
        assert done.scripts("activate")


@pytest.mark.parametrize(
    ("found", "installs"),
    [
        ("", True),
        ("listen:00000000:0050 17 apache2.service apache2\n", False),
        ("unit:LoadState masked\n", False),
        ("init tini\n", False),
    ],
)
def test_nothing_is_installed_where_something_else_is_in_the_way(run, found, installs):
    bare = "candidate 1.22.1-9\nmissing nginx ca-certificates\n"
    done = run(_sites(1), {"state": bare + found}, stops=True)
    assert bool([command for command in done.commands if "apt-get" in command]) == installs


@pytest.mark.parametrize(("came", "activates"), [("", True), ("broken nginx: [emerg] theirs\n", False)])
def test_what_is_there_once_nginx_was_installed_is_looked_at_before_a_release_comes_into_force(run, came, activates):
    """Another one's configuration that only an installed nginx reads, say."""
    responses = {"state": "candidate 1.22.1-9\nmissing nginx ca-certificates\n"}
    later = {MARKS["state"]: _state_output() + came}
    done = run(_sites(1), responses, stops=not activates, later=("systemctl disable --quiet", later))
    assert done.scripts("publish")
    assert bool(done.scripts("activate")) == activates


def test_the_last_site_takes_the_gateway_out_of_nginx_with_it(run, caplog):
    old = "0123456789abcdef"
    held = {f"{old} held": "source 644 x y\ndomain s0.edu.cn\n", "state": _state_output(old)}
    caplog.set_level(logging.INFO, "pyinfra")
    refused = run([], held, stops=True)
    assert not refused.scripts("withdraw")
    done = run([], held, allow_site_removal=1)
    assert done.scripts("withdraw")
    assert done.changed == ["Activate the release"]
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert "sites: - s0.edu.cn" in told
    assert f"release {old} -> none" in told
    assert not [*done.scripts("publish"), *done.scripts("activate")]


def test_a_host_without_a_site_gets_nothing(run):
    done = run([], {"state": "candidate 1.22.1-9\nmissing nginx ca-certificates\n"})
    assert done.changed == []
    assert not [command for command in done.commands if "apt-get" in command]


@pytest.mark.parametrize(
    ("current", "history", "goes_to"),
    [("c" * 16, "b c", "b" * 16), ("b" * 16, "a b c", "a" * 16), ("a" * 16, "a b", None), ("", "", None)],
)
def test_a_rollback_goes_one_back_and_leaves_the_order_as_it_is(run, current, history, goes_to):
    def roll_back():
        operations.roll_back(name="Roll back")

    past = " ".join(name * 16 for name in history.split())
    state = _state_output(current) + f"history {past}\n"
    done = run(_sites(1), {"state": state}, stops=goes_to is None, does=roll_back)
    assert not done.scripts("publish")
    arguments = [command.rpartition("wecom-gateway ")[2].split() for command in done.scripts("activate")]
    assert arguments == ([[goes_to, "rollback", ENTRIES[0]]] if goes_to else [])


def test_remote_commands_do_not_grow_with_the_number_of_sites(run):
    few = run(_sites(1), {"state": _state_output()})
    many = run(_sites(200), {"state": _state_output()})
    assert len(few.commands) == len(many.commands)


def test_a_failed_publication_is_not_activated(run):
    with pytest.raises(Exception, match="No hosts remaining"):
        run(_sites(1), {"publish": {"success": False}, "state": _state_output()})


def test_keys_travel_on_standard_input_only(run, store_pair):
    _, key = store_pair("s0.edu.cn")
    sites = [{"domain": "s0.edu.cn", "edge": "tls", "platform": "wanxiao_prod"}]
    done = run(sites, {"state": _state_output()})
    secret = key.decode().splitlines()[1]
    assert done.uploaded("certs/s0.edu.cn/privkey.pem") == key
    operations = json.dumps([repr(data) for ops in done.state.ops.values() for data in ops.values()])
    for shown in (*done.commands, operations, repr(done.state.op_meta)):
        assert secret not in shown
        assert done.stdin[0][:60] not in shown


_ACME = {"email": "ops@edu.cn", "eab": {"kid": "k1", "hmac_key_env": "EAB"}}
_ORDERED = {"domain": "s0.edu.cn", "edge": "tls", "platform": "wanxiao_prod", "cert": {"acme": _ACME}}
_SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0"


def test_certificates_are_asked_for_last_and_the_accounts_secret_goes_by_standard_input_only(run, monkeypatch):
    monkeypatch.setenv("EAB", _SECRET)
    done = run([_ORDERED], {"state": _state_output() + "missing certbot\n"})
    assert done.changed == [
        "Install nginx and the trust store",
        "Publish the release",
        "Activate the release",
        "Obtain certificates",
    ]
    assert [text for text in done.stdin if _SECRET in text] == [done.stdin[-1]]
    operations = json.dumps([repr(data) for ops in done.state.ops.values() for data in ops.values()])
    for shown in (*done.commands, operations, repr(done.state.op_meta)):
        assert _SECRET not in shown


def test_certbot_comes_only_where_a_certificate_is_asked_for(run):
    done = run(_sites(1), {"state": _state_output() + "missing certbot\n"})
    assert done.changed == ["Publish the release", "Activate the release"]
    assert not done.scripts("obtain")


def test_certificates_that_are_there_are_not_asked_for(run, files):
    parsed, _ = parse_host("one", {"platforms": PLATFORMS, "sites": [_ORDERED]}, files)
    built = release.build(tree(parsed, Build(Version((1, 22, 1)))))
    known = f"order:s0.edu.cn {parsed.sites[0].acme.order}\nends:s0.edu.cn Nov 21 12:00:00 2027 GMT\n"
    done = run([_ORDERED], {"state": _state_output(built.id, built.digest()) + known})
    assert done.changed == []
    assert not done.scripts("obtain")
