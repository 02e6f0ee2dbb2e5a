"""What is seen of a file that `ssh_key` names."""

from __future__ import annotations

import pytest

from gateway.fleet.ssh_keys import fault


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nx\n", ""),
        ("-----BEGIN RSA PRIVATE KEY-----\nx\n", ""),
        ("ssh-ed25519 AAAA ops\n", "key.pub: is the public half of a key; right would be key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\n", "is a key of PuTTY's; convert it: puttygen"),
        ("", "holds no private key; correct `ssh_key`"),
    ],
)
def test_a_file_that_is_no_private_key_is_told_by_what_it_is(tmp_path, content, said):
    (tmp_path / "key.pub").write_text(content)
    found = fault("key.pub", tmp_path)
    assert said in found
    assert bool(said) == bool(found)


def test_a_file_that_cannot_be_opened_is_told(tmp_path):
    assert fault("none", tmp_path) == "none: No such file or directory; put the private key there, or correct `ssh_key`"
    assert fault(".", tmp_path).startswith(".: Is a directory; ")


def test_a_home_that_nobody_knows(monkeypatch, tmp_path):
    monkeypatch.delenv("HOME", raising=False)
    assert "there is no home folder" in fault("~nosuchuser/key", tmp_path)
