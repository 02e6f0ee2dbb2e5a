"""What the host decides about certificates with a certbot whose every word is another: by the scripts a host runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.onhost import scripts
from gateway.onhost.constants import NGINX
from tests.unit.conftest import make_pair

from .host_scripts import functions, relocated

ACCOUNT = "0123456789abcdef"
DIRECTORY = "https://acme.authority.example/dir"
ORDER = f"{ACCOUNT} {DIRECTORY} ops@school.edu.cn -"
A, B = "a.edu.cn", "b.edu.cn"

# Real programs of a host that a unit test has not. `certbot` does what the files of $STAGE say and talks gibberish;
# `python3` is the question to the server, answered by $STAGE/answer; a visitor is shown what nginx loaded last.
PROGRAMS = {
    "certbot": r"""
echo "certbot $*" >>"$STAGE/calls"
while [ $# -gt 0 ]; do
    case $1 in --config-dir) folder=$2 ;; --cert-name) name=$2 ;; register | certonly | renew) verb=$1 ;; esac
    shift
done
echo "Vgu xlw gromp: fnord urn:nothing $verb"
issue() {
    echo "issued $1" >>"$STAGE/calls"
    mkdir -p "$folder/live/$1" "$folder/archive/$1" "$folder/renewal"
    cp "$STAGE/certificates/$1/"* "$folder/archive/$1/"
    for part in fullchain privkey; do
        mv "$folder/archive/$1/$part.pem" "$folder/archive/$1/$part$$.pem"
        ln -sfn "../../archive/$1/$part$$.pem" "$folder/live/$1/$part.pem"
    done
    echo "account = $(basename "$(dirname "$(find "$folder/accounts" -name regr.json)")")" >"$folder/renewal/$1.conf"
}
case $verb in
    register)
        [ ! -e "$STAGE/no-registration" ] || exit 1
        mkdir -p "$folder/accounts/server/$$"
        echo '{}' | tee "$folder/accounts/server/$$/regr.json" >"$folder/accounts/server/$$/private_key.json"
        rm -f "$STAGE/lost" ;;
    certonly)
        [ ! -e "$STAGE/lost" ] && [ ! -e "$STAGE/refused/$name" ] || exit 1
        [ ! -e "$STAGE/lies" ] || exit 0
        issue "$name" ;;
    renew)
        [ ! -e "$STAGE/lost" ] || exit 1
        done=0
        for conf in "$folder"/renewal/*.conf; do
            name=$(basename "$conf" .conf)
            [ -e "$STAGE/due/$name" ] || continue
            if [ -e "$STAGE/refused/$name" ]; then done=1; else issue "$name"; fi
        done
        exit $done ;;
esac
""",
    "python3": r"""
echo asked >>"$STAGE/calls"
[ ! -e "$STAGE/lost" ] || { echo gone; exit 3; }
echo "qzx 42"; exit "$(cat "$STAGE/answer" 2>/dev/null || echo 0)"
""",
    "nginx": '[ ! -e "$STAGE/refuses" ] || { echo "nginx: [emerg] vorp"; exit 1; }',
    "systemctl": r"""
[ "$1" != show ] || { echo MainPID=1; exit; }
[ "$1" != kill ] || { rm -rf "$STAGE/shown"; mkdir "$STAGE/shown"
    for path in "$STAGE"/wecom-gateway/acme/issued/*/; do
        cp "$path/live/fullchain.pem" "$STAGE/shown/$(basename "$path")"
    done; }
""",
    "openssl": r"""
if [ "$1" = s_client ]; then cat "$STAGE/shown/$5" 2>/dev/null; exit; fi
PATH=${PATH#*:} exec openssl "$@"
""",
    "dpkg-query": "echo 2.1.0-4",
}


@dataclass
class Stage:
    """A host's folder, and what its certbot and its ACME server will do."""

    path: Path

    @property
    def acme(self) -> Path:
        return self.path / "wecom-gateway" / "acme"

    def order(self, *domains: str) -> None:
        (self.path / "wecom-gateway/current/orders").write_text("".join(f"{name} {ORDER}\n" for name in domains))

    def has(self, what: str, there: bool = True) -> None:
        path = self.path / what
        path.parent.mkdir(exist_ok=True)
        path.touch() if there else path.unlink()

    def new_pair(self, domain: str, days: int = 20) -> bytes:
        chain, key = make_pair(domain, end=timedelta(days=days))
        folder = self.path / "certificates" / domain
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "fullchain.pem").write_bytes(chain)
        (folder / "privkey.pem").write_bytes(key)
        return chain

    def run(self, name: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        text = relocated(name, self.path).replace(NGINX, f"{self.path}/bin/nginx", 1)
        # the stage's programs go before the distribution's
        text = text.replace("export PATH=", f"export PATH={self.path}/bin:", 1)
        environment = {"PATH": os.environ["PATH"], "STAGE": str(self.path)}
        return subprocess.run(
            ["bash", "-c", text], input=stdin, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    def calls(self, verb: str) -> int:
        """How often certbot, or the server, was asked for that since the last time."""
        path = self.path / "calls"
        return len([line for line in path.read_text().splitlines() if line.startswith(verb)]) if path.exists() else 0

    def in_use(self, domain: str) -> bytes:
        path = self.acme / "issued" / domain / "live" / "fullchain.pem"
        return path.read_bytes() if path.exists() else b""

    def failed(self) -> list[str]:
        return sorted(path.name for path in (self.acme / "failed").iterdir())


def _stage(path: Path) -> Stage:
    """A host that has orders for both domains and certificates for none."""
    (path / "bin").mkdir()
    for name, text in PROGRAMS.items():
        (path / "bin" / name).write_text(f"#!/bin/bash\n{text}")
        (path / "bin" / name).chmod(0o755)
    home = path / "wecom-gateway"
    release = home / "releases" / "0000000000000001"
    release.mkdir(parents=True)
    (release / "renew.sh").write_text(scripts.text("renew"))
    (home / "current").symlink_to("releases/0000000000000001")
    made = Stage(path)
    made.order(A, B)
    for domain in (A, B):
        made.new_pair(domain)
    return made


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return _stage(tmp_path)


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a host that has its certificates, to be copied: asking for them takes the scripts a while."""
    stage = _stage(tmp_path_factory.mktemp("issued"))
    done = stage.run("obtain")
    assert done.returncode == 0, done.stderr
    assert stage.in_use(A) and stage.in_use(B)
    (stage.path / "calls").unlink()
    return stage.path


@pytest.fixture
def served(issued: Path, tmp_path: Path) -> Stage:
    """Both domains have their certificates."""
    shutil.copytree(issued, tmp_path, symlinks=True, dirs_exist_ok=True)
    return Stage(tmp_path)


def test_what_is_issued_is_in_use_and_told_in_numbers(stage):
    done = stage.run("obtain")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "wecom-gateway: 2 of 2 certificates issued"
    assert stage.in_use(A) == (stage.path / "certificates" / A / "fullchain.pem").read_bytes()


def test_one_domain_that_is_refused_keeps_no_other_from_its_certificate(stage):
    stage.has(f"refused/{A}")
    done = stage.run("obtain")
    assert done.returncode == 1
    assert f"{A} has no certificate yet and answers on port 80 alone: " in done.stderr
    assert "1 of 2 certificates issued, 1 could not be had" in done.stdout
    assert (stage.in_use(A), stage.failed()) == (b"", [A])
    assert stage.in_use(B)
    # the account is known: no other one is registered
    assert stage.calls("certbot register") == 1


def test_a_success_without_a_certificate_is_none(stage):
    stage.has("lies")
    assert stage.run("obtain").returncode == 1
    assert stage.failed() == [A, B]
    assert not stage.in_use(A)


def test_a_first_certificate_that_nginx_refuses_does_not_stay_where_nginx_reads_it(stage):
    """It would keep nginx, and every site of the host, from coming up after a reboot."""
    stage.has("refuses")
    done = stage.run("obtain")
    assert done.returncode == 1
    assert "nginx refuses the configuration" in done.stderr
    assert "vorp" in done.stderr
    assert [stage.in_use(domain) for domain in (A, B)] == [b"", b""]
    assert stage.failed() == [A, B]
    stage.has("refuses", False)
    assert stage.run("obtain").returncode == 0
    assert stage.in_use(A)
    assert stage.in_use(B)


def test_a_server_that_is_away_is_asked_for_one_domain_alone(stage):
    for domain in (A, B):
        stage.has(f"refused/{domain}")
    (stage.path / "answer").write_text("4")
    done = stage.run("obtain")
    assert done.stderr.count("qzx 42") == 2
    assert stage.calls("certbot certonly") == 1


@pytest.mark.parametrize("script", ["obtain", "renew"])
def test_a_lost_account_is_replaced_and_its_key_put_aside(served, script):
    (old,) = (served.acme / "accounts" / ACCOUNT / "accounts").rglob("private_key.json")
    name = old.parent.name
    served.has("lost")
    served.has(f"due/{A}")
    if script == "obtain":
        (served.acme / "failed" / A).touch()
    expected = served.new_pair(A)
    done = served.run(script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert served.in_use(A) == expected
    (aside,) = (served.acme / "aside").iterdir()
    assert aside.name.startswith(str(datetime.now(UTC).year)) and aside.name.endswith(ACCOUNT)
    assert aside.stat().st_mode & 0o777 == 0o700
    assert [path.parent.name for path in aside.rglob("private_key.json")] == [name]
    (new,) = (served.acme / "accounts" / ACCOUNT / "accounts").rglob("regr.json")
    confs = served.acme / "accounts" / ACCOUNT / "renewal"
    assert {path.read_text() for path in confs.iterdir()} == {f"account = {new.parent.name}\n"}


@pytest.mark.parametrize("answer", ["1", "4", "127"])
def test_an_account_that_may_be_known_stays(served, answer):
    """A server that is away, has a bad day, or a host without the means to ask."""
    (served.path / "answer").write_text(answer)
    served.has(f"due/{A}")
    served.has(f"refused/{A}")
    assert served.run("renew").returncode == 1
    assert served.calls("certbot register") == 0
    assert not list((served.acme / "aside").iterdir())


@pytest.mark.parametrize("script", ["obtain", "renew"])
def test_an_account_comes_back_where_no_other_is_to_be_had(served, script):
    before = sorted((served.acme / "accounts" / ACCOUNT / "accounts").rglob("*"))
    served.has("lost")
    served.has("no-registration")
    (served.acme / "failed" / A).touch()
    assert served.run(script).returncode == 1
    assert sorted((served.acme / "accounts" / ACCOUNT / "accounts").rglob("*")) == before
    assert served.in_use(A)


def test_which_renewal_failed_says_the_certificate(served):
    for name in (f"due/{A}", f"due/{B}", f"refused/{A}"):
        served.has(name)
    before, expected = served.in_use(A), served.new_pair(B)
    done = served.run("renew")
    assert done.returncode == 1
    assert served.failed() == [A]
    assert (served.in_use(A), served.in_use(B)) == (before, expected)
    assert f"<3>{A}: the certificate was not renewed, the one in use stays: " in done.stdout
    served.has(f"refused/{A}", there=False)
    assert served.run("renew").returncode == 0
    assert served.failed() == []


def test_a_certificate_whose_time_has_not_come_did_not_fail(stage):
    stage.new_pair(B, days=80)
    assert stage.run("obtain").returncode == 0
    stage.has(f"due/{A}")
    stage.has(f"refused/{A}")
    assert stage.run("renew").returncode == 1
    assert stage.failed() == [A]


def test_nothing_due_is_one_certbot_for_each_account(served):
    before = served.in_use(A)
    assert served.run("renew").returncode == 0
    assert (served.calls("certbot"), served.calls("asked")) == (1, 0)
    assert served.in_use(A) == before


def test_a_renewal_that_was_cut_off_before_its_certificate_was_in_use_is_made_up_for(served):
    live = served.acme / "accounts" / ACCOUNT / "live" / A
    chain, key = make_pair(A)
    (live / "fullchain.pem").resolve().write_bytes(chain)
    (live / "privkey.pem").resolve().write_bytes(key)
    assert served.run("renew").returncode == 0
    assert served.in_use(A) == chain


def test_nginx_never_reads_what_certbot_is_about_to_replace(served):
    for path in (served.acme / "accounts" / ACCOUNT / "live" / A).iterdir():
        path.unlink()
    assert served.in_use(A)
    # certbot and key of different certificates, as a cut off renewal leaves them, do not come into use
    live = served.acme / "accounts" / ACCOUNT / "live" / A
    before = served.in_use(A)
    (live / "fullchain.pem").write_bytes(make_pair(A)[0])
    (live / "privkey.pem").write_bytes(make_pair(A)[1])
    served.run("renew")
    assert served.in_use(A) == before


def test_what_a_release_of_an_earlier_version_left_in_place_becomes_a_copy_and_back(served):
    link = served.acme / "issued" / A / "live"
    in_place = f"../../accounts/{ACCOUNT}/live/{A}"
    link.unlink()
    link.symlink_to(in_place)
    assert served.run("renew").returncode == 0
    assert str(link.readlink()).startswith("pair.")
    (served.path / "wecom-gateway/current/renew.sh").write_text("# knows of no copies\n")
    text = functions("activate", served.path)
    subprocess.run(["bash", "-c", text + 'keep_house "$home/current"'], check=True)
    assert str(link.readlink()) == in_place
    assert served.in_use(A)


def test_a_certificate_that_certbot_lost_is_asked_for_by_the_next_deploy_and_serves_until_then(served):
    before = served.in_use(A)
    subprocess.run(["rm", "-r", str(served.acme / "accounts")], check=True)
    served.run("renew")
    assert (served.failed(), served.in_use(A)) == ([A, B], before)
    expected = served.new_pair(A)
    assert served.run("obtain").returncode == 0
    assert (served.failed(), served.in_use(A)) == ([], expected)


def test_a_domain_that_comes_back_after_certbot_lost_its_certificate_stops_no_other(served):
    served.order(A)
    assert served.run("renew").returncode == 0
    kept = served.path / "wecom-gateway/releases/0000000000000000"
    kept.mkdir()
    (kept / "orders").write_text(f"{B} {ORDER}\n")
    assert served.run("renew").returncode == 0
    served.order(A, B)
    assert served.run("obtain").returncode == 0
    served.order(A)
    served.run("renew")
    assert (served.acme / "issued" / B / "renewal.conf").exists()
    subprocess.run(["rm", "-r", str(served.acme / "accounts" / ACCOUNT / "live" / B)], check=True)
    served.order(A, B)
    expected = served.new_pair(B)
    assert served.run("obtain").returncode == 0
    assert served.in_use(B) == expected


def test_remains_of_a_first_request_that_broke_off_stop_nobody(stage):
    folder = stage.acme / "accounts" / ACCOUNT
    for part in ("live", "archive"):
        (folder / part / A).mkdir(parents=True)
    (folder / "renewal").mkdir()
    (folder / "renewal" / f"{A}.conf").touch()
    assert stage.run("obtain").returncode == 0
    assert stage.in_use(A)


@pytest.mark.parametrize(
    ("start", "locks"),
    [("renew", "take_acme_lock; take_lock"), ("activate", "take_lock; try_acme_lock")],
)
def test_a_deploy_does_not_wait_for_the_lock_of_whoever_waits_for_a_server(served, start, locks):
    """Under the deploy's lock the ACME lock is tried only; the other way round both are had."""
    lock = served.acme / ".lock"
    text = functions(start, served.path)
    run: Callable[[str], subprocess.CompletedProcess[str]] = lambda script: subprocess.run(  # noqa: E731
        ["bash", "-c", text + script], capture_output=True, text=True, check=False, timeout=20
    )
    assert run(locks).returncode == 0
    if start == "activate":
        with subprocess.Popen(["flock", str(lock), "sleep", "15"]) as holder:
            deadline = time.monotonic() + 10
            while run("try_acme_lock").returncode == 0:
                assert time.monotonic() < deadline
            assert run(locks).returncode == 1
            holder.terminate()
