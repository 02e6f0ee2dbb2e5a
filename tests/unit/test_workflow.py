"""The workflow of a repository of one's own: every step is run as a forge would, on pyinfra's @fake hosts."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import yaml

from gateway import starter
from tests import installed

from .conftest import REPO

DOMAIN = "wx.a.edu.cn"
HOSTS = ("@fake/n1", "@fake/n2", "@fake/n3")
# The first two are nodes of one site.
INVENTORY = f"""
_state = "version nginx version: nginx/1.22.1\\nipv6 yes\\nroom yes\\n"
wanxiao_prod = [
    (name, {{
        "fake_delay": 0, "fake_delay_jitter": 0, "fake_responses": {{"apt-cache policy": _state}},
        "sites": [{{"domain": domain, "edge": "slb", "slb_cidrs": ["10.0.0.0/24"]}}],
    }})
    for name, domain in zip({HOSTS}, ("{DOMAIN}", "{DOMAIN}", "wx.b.edu.cn"))
]
"""
TOKEN = "forge-token-1234"
AGE_KEY = "AGE-SECRET-KEY-1QQQQ\r\n"
# The Python that ci/setup.sh is told to use: what it would download is lent to it, the rest is done by itself.
LENDING = """#!/bin/sh
set -e
{python} "$@"
cd {repo}
{python} -m tests.installed "$OLDPWD/.venv"
"""


def _steps(job):
    """Its `run:` steps."""
    text = (REPO / "gateway/starter/files/.github/workflows/gateway.yml").read_text()
    return [step for step in yaml.safe_load(text)["jobs"][job]["steps"] if "run" in step]


JOBS = ("preview", "deploy", "daily")


class Forge:
    """Runs steps of the workflow's jobs in a repository, with values for what they ask of the forge."""

    def __init__(self, folder, values, variables):
        self.folder = folder
        self.values = values
        self.variables = variables

    def run(self, step):
        """One step, by the shell that forges take. What it prints has no secret in it."""
        given = {"INVENTORY": "inventory/prod.py", **step.get("env", {})}
        done = self.bash(step["run"], **{name: self._filled(text) for name, text in given.items()})
        for secret in (TOKEN, AGE_KEY.strip(), "PRIVATE KEY"):
            assert secret not in done.stdout + done.stderr
        return done

    def bash(self, script, **variables):
        return subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.folder,
            env={**self.variables, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )

    def _filled(self, text):
        return re.sub(r"\$\{\{ ([\w.]+) }}", lambda found: str(self.values[found[1]]), text)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    """The secrets of the forge's store; without a key where this machine has no SSH client to hold it."""
    if shutil.which("ssh-agent") is None:
        return {"secrets.GATEWAY_SSH_KEY": "", "secrets.GATEWAY_AGE_KEY": AGE_KEY}
    path = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return {"secrets.GATEWAY_SSH_KEY": path.read_text().rstrip("\n"), "secrets.GATEWAY_AGE_KEY": AGE_KEY}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, secrets):
    """A repository on a runner, after the first step of every job, which is the same."""
    folder = tmp_path_factory.mktemp("runner") / "own"
    starter.write(folder, inventory={"prod.py": INVENTORY})
    (folder / "files/nginx" / f"{DOMAIN}.conf").write_text("add_header X-School own always;\n")
    for domain in (DOMAIN, "wx.b.edu.cn"):
        (folder / "files/verify" / domain).mkdir()
        (folder / "files/verify" / domain / "WW_verify_abcdEFGH12345678.txt").write_text("abcdEFGH12345678")
    installed.wheel(folder / "wheels")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    python = folder.parent / "python"
    python.write_text(LENDING.format(python=sys.executable, repo=REPO))
    python.chmod(0o755)
    home = folder.parent / "home"
    home.mkdir()
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "GATEWAY_", "SSH_"))}
    variables = {**clean, "PYTHON": str(python), "PIP_NO_INDEX": "1", "HOME": str(home)}
    forge = Forge(folder, {**secrets}, variables)
    assert [_steps(job)[0] for job in JOBS] == [{"run": "ci/setup.sh"}] * 3
    done = forge.run(_steps("preview")[0])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("wecom-gateway ")
    return forge


@pytest.fixture
def forge(prepared, tmp_path):
    """The same, with a repository and folders of this test's own."""
    folder = tmp_path / "own"
    shutil.copytree(prepared.folder, folder, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
    (folder / ".venv").symlink_to(prepared.folder / ".venv")
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    own = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}
    return Forge(folder, {**prepared.values}, {**prepared.variables, **own})


def _stand_in(forge, program, script):
    """Another program of that name: there is no host to ask, nor a site."""
    if (forge.folder / ".venv").is_symlink():
        (forge.folder / ".venv").unlink()
        (forge.folder / ".venv/bin").mkdir(parents=True)
    path = forge.folder / ".venv/bin" / program
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def comments():
    """A forge's web interface: what it was sent, and its address."""
    taken = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            taken.append((self.path, self.headers["Authorization"], body["body"]))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield taken, f"http://127.0.0.1:{server.server_port}/api/v1"
        server.shutdown()
        thread.join()


def _set_request(forge, address):
    forge.values |= {
        "github.api_url": address,
        "github.repository": "school/gateways",
        "github.event.pull_request.number": 7,
        "github.event.pull_request.head.sha": "0f786ef544b38c2f0c7e",
        "github.token": TOKEN,
    }


def test_a_change_request_gets_the_check_and_the_text_of_all_changes_as_a_comment(forge, comments):
    taken, address = comments
    _set_request(forge, address)
    _, preview, comment = _steps("preview")
    for step in (preview, comment):
        done = forge.run(step)
        assert done.returncode == 0, done.stdout + done.stderr
    ((path, who, body),) = taken
    assert (path, who) == ("/api/v1/repos/school/gateways/issues/7/comments", f"token {TOKEN}")
    assert body.startswith("Preview of 0f786ef544b3, 1 of 1\n\n~~~text\n$ wecom-gateway check inventory/prod.py\n")
    assert "inventory/prod.py: 3 sites can be deployed, 0 errors" in body
    for host in HOSTS:
        assert f"[{host}] sites: + wx." in body
    assert "+add_header X-School own always;" in body


def test_a_change_with_an_error_fails_with_it_as_the_comment_and_no_host_is_contacted(forge, comments):
    taken, address = comments
    _set_request(forge, address)
    (forge.folder / "inventory/prod.py").write_text(INVENTORY.replace("wx.b.edu.cn", "wx_b.edu.cn"))
    _, preview, comment = _steps("preview")
    assert forge.run(preview).returncode == 1
    assert comment["if"] == "always()"
    assert forge.run(comment).returncode == 0
    ((_, _, body),) = taken
    assert "@fake/n3: wx_b.edu.cn: domain: " in body
    assert "Connect" not in body


def test_a_forge_that_takes_no_comment_fails_the_job(forge):
    _set_request(forge, "http://127.0.0.1:9")
    (forge.folder / "preview.txt").write_text("text")
    assert forge.run(_steps("preview")[2]).returncode == 1


def test_what_is_merged_is_deployed_to_every_host_once_and_nodes_of_a_site_one_after_another(forge):
    workflow = yaml.safe_load((forge.folder / ".github/workflows/gateway.yml").read_text())
    strategy = workflow["jobs"]["deploy"]["strategy"]
    assert (strategy["max-parallel"], strategy["fail-fast"]) == (1, True)
    deployed = []
    for shard in strategy["matrix"]["shard"]:
        forge.values["matrix.shard"] = shard
        done = forge.run(_steps("deploy")[1])
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Starting operation: Activate the release" in done.stderr
        deployed.append({host for host in HOSTS if f"[{host}] Success" in done.stdout + done.stderr})
    assert len(deployed[0]) + len(deployed[1]) == 3
    assert set.union(*deployed) == set(HOSTS)
    assert not any({"@fake/n1", "@fake/n2"} <= hosts for hosts in deployed)


@pytest.mark.parametrize(("shard", "ends"), [("exit 0", 0), ("exit 1", 1), ("echo h1; echo h2; exit 1", 1)])
def test_where_no_shard_can_be_told_nothing_is_deployed(forge, shard, ends):
    """An empty list would be every host to pyinfra."""
    _stand_in(forge, "wecom-gateway", shard)
    _stand_in(forge, "pyinfra", "echo deployed")
    forge.values["matrix.shard"] = "1/2"
    done = forge.run(_steps("deploy")[1])
    assert (done.returncode, done.stdout) == (ends, "")


@pytest.mark.parametrize(("status", "verify", "ends"), [(0, 0, 0), (2, 0, 1), (0, 1, 1), (2, 1, 1)])
def test_every_day_both_are_asked_and_either_fails_the_job(forge, status, verify, ends):
    _stand_in(forge, "wecom-gateway", f'echo "$@"; [ $1 = status ] && exit {status}; exit {verify}')
    done = forge.run(_steps("daily")[1])
    assert done.stdout == "status inventory/prod.py\nverify inventory/prod.py\n"
    assert done.returncode == ends


def test_secrets_reach_the_command_and_are_gone_afterwards(forge):
    done = forge.bash(
        "ci/with-secrets.sh bash -c 'cat $GATEWAY_AGE_KEY_FILE; stat -c %a $GATEWAY_AGE_KEY_FILE; env; exit 3'",
        GATEWAY_AGE_KEY=AGE_KEY,
    )
    assert done.returncode == 3
    assert done.stdout.startswith(f"{AGE_KEY.strip()}\n\n600\n")
    assert "GATEWAY_AGE_KEY=" not in done.stdout
    assert not [*(forge.folder.parent / "tmp").iterdir()]


@pytest.mark.skipif(shutil.which("ssh-agent") is None, reason="needs an SSH client")
def test_the_ssh_key_is_in_an_agent_as_long_as_the_command_runs(forge):
    key = forge.values["secrets.GATEWAY_SSH_KEY"]
    script = "ci/with-secrets.sh bash -c 'ssh-add -l; echo $SSH_AUTH_SOCK; env'"
    for text in (key, key.replace("\n", "\r\n")):  # as a browser sends it
        done = forge.bash(script, GATEWAY_SSH_KEY=text)
        kind, socket, *_ = done.stdout.splitlines()
        assert kind.endswith("(ED25519)")
        assert not os.path.exists(socket)  # noqa: PTH110
        assert "PRIVATE KEY" not in done.stdout + done.stderr


def test_secrets_are_given_to_no_step_but_the_one_that_hides_them():
    for job in JOBS:
        for step in _steps(job):
            assert "${{" not in step["run"]
            named = "secrets." in str(step.get("env", {}))
            assert named == step["run"].startswith("ci/with-secrets.sh ")


def test_hosts_keys_of_the_repository_are_added_to_what_the_runner_knows_once(forge):
    known = forge.folder.parent / "home/.ssh/known_hosts"
    known.parent.mkdir()
    known.write_text("other ssh-ed25519 AAAA\n")
    (forge.folder / "known_hosts").write_text("n1 ssh-ed25519 BBBB\nn2 ssh-ed25519 CCCC\n")
    for _ in range(2):
        assert forge.bash("ci/with-secrets.sh true").returncode == 0
    assert known.read_text() == "other ssh-ed25519 AAAA\nn1 ssh-ed25519 BBBB\nn2 ssh-ed25519 CCCC\n"


def test_a_wheel_that_is_not_there_is_told(tmp_path):
    starter.write(tmp_path / "own")
    done = subprocess.run(["ci/setup.sh"], cwd=tmp_path / "own", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"ci/setup.sh: wheels/wecom_gateway-[\d.]+-py3-none-any.whl is not there; .*\n", done.stderr)
    assert not (tmp_path / "own/.venv").exists()


def _comment():
    spec = importlib.util.spec_from_file_location("comment", REPO / "gateway/starter/files/ci/comment.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("text", ["", "x" * 150_000, "line\n" * 40_000, "short\n", "~~~~\n" * 20_000])
def test_a_long_preview_is_as_many_comments_as_it_takes(text):
    comment = _comment()
    assert "".join(comment.parts(text)) == text
    bodies = comment.bodies(text, "0f786ef544b3")
    assert all(len(body) <= 65_536 for body in bodies)
    fence = "~" * (5 if "~" in text else 3)
    assert all(body.splitlines()[-1] == fence for body in bodies)


def test_a_preview_without_end_is_cut_and_the_cut_is_told():
    comment = _comment()
    bodies = comment.bodies("x" * comment.LONGEST * 30, "0f786ef544b3")
    assert len(bodies) == comment.MOST
    assert bodies[-1].endswith("The rest is in the job's log.\n")
