"""What a host says of its hand-written nginx, by the script as it runs there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gateway.deploys.handwritten import HandwrittenConfiguration, HandwrittenFiles, HandwrittenNames
from gateway.deploys.shell import stdin_lines
from gateway.onhost import scripts


def _said(part: str, *paths: Path | str, nginx: Path | None = None) -> list[str]:
    places = (("nginx_program", str(nginx)), ("nginx_options", ("-c", "/data/a.conf"))) if nginx else ()
    done = subprocess.run(
        ["bash", "-c", scripts.text("handwritten", places), "wecom-gateway", part],
        input=stdin_lines(map(str, paths)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_the_configuration_is_what_this_nginx_prints_with_its_own_options(tmp_path):
    nginx = tmp_path / "nginx"
    nginx.write_text("#!/bin/bash\necho 'nginx: syntax is ok' >&2\necho \"# configuration file $2: $*\"\necho 学校\n")
    nginx.chmod(0o755)
    found = HandwrittenConfiguration().process(_said("configuration", nginx=nginx))
    assert found.decode() == "# configuration file /data/a.conf: -c /data/a.conf -T\n学校\n"


def test_an_nginx_that_cannot_load_its_configuration_says_nothing(tmp_path):
    nginx = tmp_path / "nginx"
    nginx.write_text("#!/bin/bash\nexit 1\n")
    nginx.chmod(0o755)
    assert HandwrittenConfiguration().process(_said("configuration", nginx=nginx)) == b""


def test_files_come_whole_and_what_is_none_is_left_out(tmp_path):
    secret = tmp_path / "live key.pem"
    secret.write_bytes(bytes(range(256)) * 20)
    link = tmp_path / "link.pem"
    link.symlink_to(secret)
    large = tmp_path / "large"
    large.write_bytes(b"x" * (2 << 20))
    os.mkfifo(tmp_path / "pipe")
    said = _said("files", secret, link, large, tmp_path, tmp_path / "pipe", tmp_path / "gone", "/dev/zero")
    found = HandwrittenFiles().process(said)
    assert {f"/{path.lstrip('/')}": body for path, body in found.items()} == {
        str(secret): secret.read_bytes(),
        str(link): secret.read_bytes(),
    }


@pytest.mark.parametrize("part", ["files", "names"])
def test_nothing_asked_is_nothing_said(part):
    fact = HandwrittenFiles() if part == "files" else HandwrittenNames()
    assert not fact.process(_said(part))


def test_names_of_a_folder_come_whatever_they_are(tmp_path):
    for name in ("WW_verify_AbCdEfGh12345678.txt", "新闻.html", "a b"):
        (tmp_path / name).touch()
    for number in range(300):
        (tmp_path / f"page-{number}").touch()
    found = HandwrittenNames().process(_said("names", tmp_path, tmp_path / "gone"))
    assert len(found) == 200
    (tmp_path / "few").mkdir()
    (tmp_path / "few/新闻.html").touch()
    assert HandwrittenNames().process(_said("names", tmp_path / "few")) == (str(tmp_path / "few/新闻.html"),)
