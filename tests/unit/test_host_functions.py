"""Functions of the scripts that run on a host, run here on files made up for it."""

from __future__ import annotations

import hashlib

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
