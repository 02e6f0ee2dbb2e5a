"""Certificates that come, change, expire and are kept encrypted, on a host under load."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from datetime import timedelta
from pathlib import Path

import pyrage
import pytest

from lab import topology

from ..unit.pki import issue
from . import checkout as own
from .checkout import HOME, TLS, no_changes
from .load import Load

HOST, DOMAIN = "t01", TLS["domain"]
URL = f"https://{DOMAIN}/o/itsm/weixin/x"


def _serial() -> str:
    shown = f"openssl s_client -connect 127.0.0.1:443 -servername {DOMAIN} </dev/null 2>/dev/null"
    return re.sub(r"\s", "", own.on_host(HOST, f"{shown} | openssl x509 -noout -serial"))


def _folder(checkout) -> Path:
    return checkout.path / "files" / "certs" / DOMAIN


@pytest.fixture
def serving(packaged_host, checkout):
    """The site with a certificate of the lab's authority."""
    checkout.certificate(DOMAIN)
    checkout.write_sites(TLS)
    checkout.deploy_well()
    return checkout


def _new_pair(checkout) -> None:
    shutil.rmtree(_folder(checkout))
    checkout.certificate(DOMAIN)


def test_a_new_key_costs_no_request(serving):
    before = _serial()
    _new_pair(serving)
    with Load(URL, topology.address(HOST)):
        serving.deploy_well()
    assert _serial() != before


def test_a_pair_that_does_not_match_is_refused_and_the_old_one_serves_on(serving):
    before = _serial()
    (_folder(serving) / "privkey.pem").write_bytes(issue(DOMAIN).key_pem)
    with Load(URL, topology.address(HOST)):
        done = serving.deploy()
    assert done.returncode == 1
    assert f"{HOST}: {DOMAIN}: cert: privkey.pem is not the key" in done.stderr
    assert _serial() == before


def test_an_expired_certificate_goes_out_only_when_it_has_to(serving):
    before = _serial()
    old = issue(DOMAIN, start=timedelta(days=-90), end=timedelta(hours=-1))
    (_folder(serving) / "fullchain.pem").write_bytes(old.pem)
    (_folder(serving) / "privkey.pem").write_bytes(old.key_pem)
    with Load(URL, topology.address(HOST)):
        refused = serving.deploy()
    assert refused.returncode == 1
    assert f"{HOST}: {DOMAIN}: cert: expired on" in refused.stderr
    assert _serial() == before

    shown = serving.deploy_well("--data", "allow_expired=1", "--data", "allow_older_certificate=1")
    assert "warning: " in shown
    assert _serial() != before
    code, report = serving.status()
    assert code == 2, report  # an expired certificate is no state to be in sync with
    assert "expired" in str(report)


def test_a_key_that_lies_encrypted_is_decrypted_in_memory_alone(serving, monkeypatch, tmp_path_factory):
    identity = pyrage.x25519.Identity.generate()
    key_file = tmp_path_factory.mktemp("age") / "age.key"
    key_file.write_text(f"{identity}\n")
    key_file.chmod(0o600)
    folder = _folder(serving)
    secret = (folder / "privkey.pem").read_bytes()
    arrived = tmp_path_factory.mktemp("arrived") / "console.zip"
    with zipfile.ZipFile(arrived, "w") as archive:
        archive.writestr(f"{DOMAIN}_nginx/{DOMAIN}_bundle.crt", (folder / "fullchain.pem").read_bytes())
        archive.writestr(f"{DOMAIN}_nginx/{DOMAIN}.key", secret)
    shutil.rmtree(folder)
    recipient = str(identity.to_public())
    stored = serving.run("python", "-m", "gateway", "import-cert", DOMAIN, str(arrived), "--encrypt-to", recipient)
    assert stored.returncode == 0, stored.stderr
    arrived.unlink()
    assert sorted(path.name for path in folder.iterdir()) == ["fullchain.pem", "privkey.pem.age"]

    monkeypatch.delenv("GATEWAY_AGE_KEY_FILE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    refused = serving.deploy()
    assert refused.returncode == 1
    assert "GATEWAY_AGE_KEY_FILE" in refused.stderr

    monkeypatch.setenv("GATEWAY_AGE_KEY_FILE", str(key_file))
    shown = serving.deploy_well("-vvv", "--diff")
    assert own.on_host(HOST, f"stat -c %a {HOME}/current/certs/{DOMAIN}/privkey.pem") == "600"
    assert own.ask(HOST, URL).status == 200
    assert no_changes(serving.deploy_well())
    line = secret.splitlines()[1]
    assert line.decode() not in shown
    for folder, _, names in os.walk(serving.path):
        for name in names:
            assert line not in (Path(folder) / name).read_bytes(), name
