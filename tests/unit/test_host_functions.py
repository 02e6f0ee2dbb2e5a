"""Functions of the scripts that run on a host, run here on files made up for it."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from .host_scripts import run as _run


@pytest.mark.parametrize(
    ("text", "raised"),
    [
        (
            "events {\n  worker_connections 768;\n  # multi_accept on;\n}",
            "events {\n  worker_connections 16384; # 768 before wecom-gateway\n  # multi_accept on;\n}",
        ),
        ("events { }\nhttp { }", "events { worker_connections 16384; }\nhttp { }"),
        (
            "user x; events {\n # worker_connections 9;\n}",
            "user x; events { worker_connections 16384;\n # worker_connections 9;\n}",
        ),
        ("events { worker_connections 20000; }", "events { worker_connections 20000; }"),
        ("events { include more.conf; }", "events { include more.conf; }"),
        ("http { }", "http { }"),
    ],
)
def test_room_for_connections(tmp_path, text, raised):
    done = _run(
        "activate",
        "raise_connections | tee $home/first; raise_connections <$home/first | cmp - $home/first",
        tmp_path,
        text,
    )
    assert (done.stdout, done.stderr) == (f"{raised}\n", "")


@pytest.fixture
def upstreams(tmp_path):
    (tmp_path / "upstreams").mkdir()
    (tmp_path / "names").write_text("a.example 443\nb.example 8443\n")
    return tmp_path / "upstreams"


def _write(upstreams: Path, addresses: str) -> subprocess.CompletedProcess[str]:
    return _run("resolve", f'write_addresses {upstreams.parent}/names "{addresses}"', upstreams.parent)


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
    done = _run("resolve", f"resolve_names {upstreams.parent}/names | sort -u", upstreams.parent)
    assert "localhost 127.0.0.1" in done.stdout.splitlines()
    assert "nobody" not in done.stdout


SHIPPED = "user www-data;\nevents {\n\tworker_connections 768;\n\t# multi_accept on;\n}\n"


@pytest.mark.parametrize(
    "text",
    [
        SHIPPED,
        SHIPPED.replace("768;", "768; # theirs"),
        "events { worker_connections 512; use epoll; }\n",
        SHIPPED.replace("768", "40000"),
        "events {\n  worker_connections\t1024;\n}\n# the end\n",
    ],
)
def test_what_was_raised_can_be_lowered_to_what_it_was_byte_for_byte(tmp_path, text):
    raised = _run("dpkg", "raise_connections", tmp_path, stdin=text).stdout
    assert "40000" in text or raised != text
    assert _run("dpkg", "lower_connections", tmp_path, stdin=raised).stdout == text
    assert _run("dpkg", "lower_connections", tmp_path, stdin=text).stdout == text


def test_only_the_text_that_the_package_brought_counts_as_shipped(tmp_path):
    """dpkg-query is a stand-in that knows one conffile."""
    sum_of = hashlib.md5(SHIPPED.encode(), usedforsecurity=False).hexdigest()
    dpkg = f"dpkg-query() {{ echo ' /etc/nginx/mime.types 1'; echo ' /etc/nginx/nginx.conf {sum_of}'; }}"
    told = "is_shipped && echo yes || echo no"
    assert _run("dpkg", f"{dpkg}; {told}", tmp_path, stdin=SHIPPED).stdout == "yes\n"
    assert _run("dpkg", f"{dpkg}; {told}", tmp_path, stdin=SHIPPED + "# ours\n").stdout == "no\n"
    assert _run("dpkg", f"dpkg-query() {{ return 1; }}; {told}", tmp_path, stdin=SHIPPED).stdout == "no\n"
