"""Functions of the scripts that run on a host, run here on files made up for it."""

from __future__ import annotations

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
