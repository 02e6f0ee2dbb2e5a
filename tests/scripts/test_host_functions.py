"""Functions of the scripts that run on a host, run here on files made up for it."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from gateway.onhost.constants import NGINX_HOME

from .host_scripts import functions
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


_BRACKETS = """# http { }
http # {
{
  log_format a '{"x": "}"}'; # }
  add_header X "\\"}";
  set $a ${b};
"""


@pytest.mark.parametrize(
    ("text", "lined"),
    [
        ("http {\n    server { listen 80; }\n}\n", "http {\n    server { listen 80; }\n    LINE\n}\n"),
        ("http{ map $a $b { default '}'; } }", "http{ map $a $b { default '}'; } \n    LINE\n}\n"),
        ("http {\n  gzip on; }\n", "http {\n  gzip on; \n    LINE\n}\n"),
        ("  http {\n  gzip on;\n  }\n", "  http {\n  gzip on;\n    LINE\n  }\n"),
        (f"{_BRACKETS}}}\nstream {{ }}\n", f"{_BRACKETS}    LINE\n}}\nstream {{ }}\n"),
        ("stream { server { listen 1; } }\nhttp {\n}\n", "stream { server { listen 1; } }\nhttp {\n    LINE\n}\n"),
    ],
)
def test_the_line_that_includes_a_release_is_the_last_one_in_http(tmp_path, text, lined):
    line = _run("activate", 'printf %s "$main_line"', tmp_path, "").stdout
    done = _run("activate", 'with_lines "$main_line"', tmp_path, text)
    assert (done.stdout, done.stderr) == (lined.replace("LINE", line), "")
    without = _run("activate", "without_line", tmp_path, stdin=done.stdout).stdout
    assert without.replace("\n", "") == text.replace("\n", "")
    if "; }" not in text and "} }" not in text:
        assert without == text
    again = _run(
        "activate", f"main_file={NGINX_HOME}/nginx.conf; as_included_by $main_file", tmp_path, stdin=done.stdout
    )
    assert again.stdout == done.stdout, again.stderr
    for other in (line, f"{line} ", f"\t{line}\r"):
        assert line not in _run("activate", "without_line", tmp_path, stdin=f"http {{\n{other}\n}}\n").stdout


@pytest.mark.parametrize(
    "text", ["events { }\n", "include http.conf;\n", "# http { }\n", "stream { }\n", "http { server {\n"]
)
def test_without_a_block_of_http_there_is_no_place_for_a_line(tmp_path, text):
    done = _run("activate", 'with_lines "$main_line" || echo none', tmp_path, text)
    assert done.stdout == "none\n"


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


ANSWERS = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    with server.accept()[0] as visitor:
        visitor.recv(99)
        visitor.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n0123456789abcdef\\n")
"""


def test_the_running_release_is_asked_for_on_the_port_that_is_the_gateway_s(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ANSWERS], stdout=subprocess.PIPE, text=True) as server:
        port = server.stdout.readline().strip()
        assert _run("activate", f"release_port={port} running_release", tmp_path).stdout == "0123456789abcdef\n"
    # nobody is there any more
    assert _run("activate", f"release_port={port} running_release", tmp_path).stdout == "\n"


WELCOME = "server { listen 80 default_server; }\n"


@pytest.fixture
def welcoming(tmp_path):
    """nginx's folder with Debian's welcome page. Runs commands after the activation's functions there; dpkg-query is a
    stand-in that knows the page."""
    for name in ("sites-available", "sites-enabled", "conf.d", "modules-enabled"):
        (tmp_path / name).mkdir()
    page = tmp_path / "sites-available" / "default"
    page.write_text(WELCOME)
    (tmp_path / "sites-enabled" / "default").symlink_to(page)
    (tmp_path / "sites-enabled" / "theirs").write_text("server { listen 81; }\n")
    (tmp_path / "nginx.conf").write_text(SHIPPED)
    (tmp_path / "shadow").mkdir()
    digest = hashlib.md5(WELCOME.encode(), usedforsecurity=False).hexdigest()
    known = f"dpkg-query() {{ echo ' {page} {digest}'; }}"

    def run(commands, script="activate"):
        text = f"{functions(script, tmp_path)}\n{known}\n{commands}"
        done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False, timeout=10)
        assert done.stderr == ""
        return done.stdout.split()

    return run


def test_a_release_takes_the_place_of_the_welcome_page_and_of_nothing_else(welcoming):
    seen = "shadow_configuration $nginx_home/shadow; ls $nginx_home/shadow/sites-enabled"
    assert welcoming(f"{seen}; echo $remove_stock") == ["theirs", "yes"]


def test_names_relative_to_nginx_s_folder_lead_where_they_did(welcoming, tmp_path):
    """nginx takes them for relative to the main file's folder, whichever file they stand in."""
    (tmp_path / "sites-enabled" / "theirs").write_text("server { ssl_certificate ../ssl/c.pem; }\n")
    said = welcoming("shadow_configuration $nginx_home/shadow; cat $nginx_home/shadow/sites-enabled/theirs")
    assert f"{tmp_path}/../ssl/c.pem;" in said


@pytest.mark.parametrize("change", ["echo more >>$stock_site", "rm $stock_site; echo theirs >$stock_site"])
def test_a_welcome_page_that_somebody_has_edited_stays(welcoming, change):
    seen = "shadow_configuration $nginx_home/shadow; ls $nginx_home/shadow/sites-enabled"
    assert welcoming(f"{change}; {seen}; echo $remove_stock") == ["default", "theirs", "no"]


def test_a_welcome_page_that_an_activation_removed_still_counts_as_one_to_put_back(welcoming):
    assert welcoming("stock_site_goes; rm $stock_site; stock_site_goes && echo yes") == ["yes"]


def test_what_others_claim_is_read_without_the_welcome_page(welcoming):
    """nginx is a stand-in that prints which sites it was given."""
    nginx = 'packaged_nginx=served; timeout() { ls "${6%/*}/sites-enabled"; }'
    commands = f"{nginx}; print_configuration | cut -d ' ' -f 2 | base64 -d | gunzip"
    assert welcoming(commands, "state") == ["theirs", "zzz-wecom-gateway.conf"]


def test_a_file_of_the_operators_own_is_named_as_the_checkout_has_it(tmp_path):
    told = 'nginx: [emerg] unknown directive "x" in {}files/nginx/a.edu.cn.conf:3\n'
    done = _run("activate", "in_checkout", tmp_path, told.format(f"{tmp_path}/releases/0123456789abcdef/") + "other\n")
    assert done.stdout == told.format("") + "other\n"
