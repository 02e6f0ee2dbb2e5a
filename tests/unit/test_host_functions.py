"""Functions of the scripts that run on a host, run here on files made up for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gateway import scripts


def _run(script: str, commands: str, home: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The functions that stand before the script's own text, then the commands; the gateway's folder is `home`."""
    functions = scripts.text(script).removesuffix((Path(scripts.__file__).parent / f"{script}.sh").read_text())
    return subprocess.run(
        ["bash", "-c", f"{functions}\nhome={home}\n{commands}"],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


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
