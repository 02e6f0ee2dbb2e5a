"""Functions of the scripts that run on a host, run here on files made up for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .host_scripts import run as _run


def _their_listeners(path: Path, text: str) -> dict[str, set[str]]:
    path.write_text(text)
    done = _run("state", f"their_listeners {path}", path.parent)
    assert done.stderr == ""
    return {key: set(rest.split()) for key, _, rest in (line.partition(" ") for line in done.stdout.splitlines())}


@pytest.mark.parametrize(
    "listen",
    [
        "80 default_server",
        "80 default",
        "*:80 default_server",
        "0.0.0.0:80 default_server reuseport",
        "[::]:80 ipv6only=on default_server",
        "80 # 81 default_server;\n  default_server",
    ],
)
def test_a_default_of_theirs_is_one_however_it_is_written(tmp_path, listen):
    assert _their_listeners(tmp_path / "x", f"server {{\n listen {listen};\n}}") == {"defaults": {"80"}}


@pytest.mark.parametrize(
    "text",
    [
        "server { listen 80; server_name default_server; }",
        "# server { listen 80 default_server; }",
        "upstream default { server 10.0.0.1:80; }",
        "server { listen unix:/run/x.sock default_server; }",
        "server { listen 127.0.0.1:80; listen [::1]:80; listen localhost:80; }",
    ],
)
def test_what_claims_nothing(tmp_path, text):
    assert _their_listeners(tmp_path / "x", text) == {"defaults": set()}


def test_addresses_that_they_have_to_themselves_come_with_the_names_there(tmp_path):
    text = """
        server { listen 10.9.9.9:80 default_server; listen [2001:db8::1]:443 ssl; server_name a.example
                 b.example; location / { if ($x) { return 204; } } }
        server{listen 10.9.9.9:80;server_name c.example;}
        server { listen 10.1.1.1; }
        server { listen 80; server_name d.example; }
    """
    assert _their_listeners(tmp_path / "x", text) == {
        "defaults": set(),
        "apart:10.9.9.9:80": {"a.example", "b.example", "c.example"},
        "apart:[2001:db8::1]:443": {"a.example", "b.example"},
        "apart:10.1.1.1:80": set(),
    }


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
