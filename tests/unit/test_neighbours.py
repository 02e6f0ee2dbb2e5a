"""What other people's nginx configuration claims, read from what `nginx -T` printed."""

from __future__ import annotations

import base64
import gzip

import pytest

from gateway.deploys import neighbours
from gateway.deploys.neighbours import Neighbours, Server
from gateway.onhost.constants import ENTRIES, MAIN_FILE

USUAL, LATE, LAST = ENTRIES
MAIN = """
user www-data;
events { worker_connections 768; }
http {
    ssl_protocols TLSv1.2 TLSv1.3;
    include /etc/nginx/mime.types;
    include /etc/nginx/conf.d/*.conf;
    include sites-enabled/*;
}
"""
MARK = "# of a release\n"


def dump(files: dict[str, str]) -> str:
    text = "".join(f"# configuration file {name}:\n{body}\n\n" for name, body in files.items())
    return base64.b64encode(gzip.compress(text.encode())).decode()


def read(theirs: str = "", path: str = "/etc/nginx/sites-enabled/theirs", main: str = MAIN) -> Neighbours:
    return neighbours.read(dump({"/etc/nginx/nginx.conf": main, path: theirs, USUAL: MARK, LATE: MARK, LAST: MARK}))


@pytest.mark.parametrize(
    "listen",
    [
        "80 default_server",
        "80 default",
        "*:80 default_server",
        "0.0.0.0:80 default_server reuseport",
        '"80" default_server',
        "80 # 81 default_server;\n  default_server",
    ],
)
def test_a_default_of_theirs_is_one_however_it_is_written(listen):
    found = read(f"server {{\n listen {listen};\n}}").defaults
    assert found.keys() == {"80"}
    assert found["80"].explicit


def test_each_family_has_a_default_of_its_own():
    found = read("server { listen 80; listen [::]:80 default_server ipv6only=on; }").defaults
    assert {spec: one.explicit for spec, one in found.items()} == {"80": False, "[::]:80": True}


@pytest.mark.parametrize(
    "before",
    [
        "location = /x { return 302 /#/login; }",
        'add_header X "a { b; c }";',
        "set $x '}';",
        "# } server {",
        'if ($x ~ "{2}") { return 403; }',
    ],
)
def test_braces_hashes_and_quotes_end_no_server(before):
    found = read(f"server {{ server_name a; {before}\n listen 80 default_server; }} server {{ listen 80; }}").defaults
    assert found["80"].explicit


@pytest.mark.parametrize(
    "text",
    [
        "server { listen unix:/run/x.sock default_server; }",
        "server { listen 127.0.0.1:80; listen [::1]:80; listen localhost:80; }",
        "upstream default { server 10.0.0.1:80; }",
        "# server { listen 80 default_server; }",
    ],
)
def test_what_claims_nothing(text):
    found = read(text)
    assert not found.defaults
    assert not found.apart


def test_a_server_that_says_nothing_of_ports_listens_on_80():
    assert read("server { server_name a.example; }").defaults.keys() == {"80"}


def test_the_first_server_is_the_default_where_none_says_so():
    text = "server { listen 80; ssl_protocols TLSv1.2; } server { listen 80; }"
    (found,) = read(text).defaults.values()
    assert (found.explicit, found.protocols) == (False, ("TLSv1.2",))
    (found,) = read("server { listen 80; } server { listen 80 default_server; }").defaults.values()
    assert found.explicit


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("/etc/nginx/conf.d/a.conf", USUAL),
        ("/etc/nginx/conf.d/www.conf", LATE),
        ("/etc/nginx/conf.d/zzzz.conf", LAST),
        ("/etc/nginx/sites-enabled/school", LAST),
    ],
)
def test_a_release_is_included_behind_every_default_by_place(path, entry):
    assert read("server { listen 80; }", path).entry == entry
    assert read("server { listen 80 default_server; }", path).entry == USUAL


def test_a_default_by_place_in_the_main_file_itself_has_a_line_of_that_file_behind_it():
    found = read(main=MAIN.rstrip().removesuffix("}") + "server { listen 80; }\n}")
    assert found.defaults["80"].entry == found.entry == "/etc/nginx/nginx.conf"
    found = read(main=MAIN.replace("include /etc/nginx/mime.types;", "server { listen 80; }"))
    assert found.defaults["80"].entry == USUAL


def test_addresses_that_they_have_to_themselves_come_with_names_and_file():
    found = read("""
        server { listen 10.9.9.9:80 default_server; listen [2001:db8::1]:443 ssl; server_name a.example
                 b.example; location / { if ($x) { return 204; } } }
        server{listen 10.9.9.9:80;server_name c.example;}
        server { listen 10.1.1.1; }
        server { listen 80; server_name d.example; }
    """)
    assert found.apart == {
        "10.9.9.9:80": ("a.example", "b.example", "c.example"),
        "[2001:db8::1]:443": ("a.example", "b.example"),
        "10.1.1.1:80": (),
    }
    assert set(found.apart_in.values()) == {"/etc/nginx/sites-enabled/theirs"}


def test_every_server_of_theirs_is_known_by_names_listens_and_file():
    text = "server { server_name a.example b.example; listen 80; listen [::]:443 ssl; } server { return 444; }"
    file = "/etc/nginx/sites-enabled/theirs"
    assert read(text).servers == (
        Server(("a.example", "b.example"), ("80", "[::]:443"), file),
        Server((), ("80",), file),
    )


def test_names_in_include_are_relative_to_the_main_file_wherever_that_is():
    own = {
        "/www/server/nginx/conf/nginx.conf": "http { include vhost/*.conf; include /www/server/panel/*.conf; }",
        "/www/server/nginx/conf/vhost/a.conf": "server { server_name a.example; }",
        "/www/server/panel/b.conf": "server { server_name b.example; }",
        "/etc/nginx/vhost/c.conf": "server { server_name c.example; }",
    }
    assert [one.names for one in neighbours.read(dump(own)).servers] == [("a.example",), ("b.example",)]


def test_stream_servers_are_no_http_servers():
    found = read(main=MAIN + "stream { server { listen 9001; } }")
    assert not found.defaults
    assert found.streams == {9001: "/etc/nginx/nginx.conf"}


@pytest.mark.parametrize(
    ("listen", "ports"),
    [("9001 udp", []), ("9000-9002", [9000, 9001, 9002]), ("10.0.0.1:9000-9001", [9000, 9001]), ("[::]:9001", [9001])],
)
def test_what_ports_a_stream_takes(listen, ports):
    assert list(read(main=MAIN + f"stream {{ server {{ listen {listen}; }} }}").streams) == ports


def test_quic_takes_no_port_of_tcp():
    assert not read("server { listen 443 quic reuseport; }").defaults


def test_one_socket_for_both_families():
    assert read("server { listen [::]:80 ipv6only=off; }").both_families == {80: "/etc/nginx/sites-enabled/theirs"}


def test_included_from_other_places_and_through_other_files():
    main = MAIN.replace("/etc/nginx/conf.d/*.conf", "http.conf")
    files = {
        "/etc/nginx/nginx.conf": main,
        "/etc/nginx/http.conf": "include /etc/nginx/conf.d/*.conf; include /srv/vhosts/*.conf;",
        USUAL: MARK,
        LATE: MARK,
        "/srv/vhosts/theirs.conf": "server { listen 80; }",
        "/srv/vhosts/.hidden.conf": "server { listen 81; }",
        LAST: MARK,
    }
    found = neighbours.read(dump(files))
    assert found.included == set(ENTRIES)
    assert found.entry == LAST
    assert found.defaults.keys() == {"80"}


def test_what_nginx_does_not_include_is_not_included():
    found = read(main=MAIN.replace("include /etc/nginx/conf.d/*.conf;", ""))
    assert found.included == {LAST}
    assert found.entry == LAST
    found = read(main="user www-data; events { } http { server { listen 80; } }")
    assert found.included == {MAIN_FILE}
    assert found.entry == MAIN_FILE
    assert found.defaults["80"].entry == MAIN_FILE
    assert read(main="events { }").included == frozenset()


@pytest.mark.parametrize(
    ("head", "user", "group", "limits"),
    [
        ("", None, None, False),
        ("user www-data;", "www-data", None, False),
        ("user 'nginx' web;", "nginx", "web", False),
        ("worker_rlimit_nofile 1024;", None, None, True),
        ("# user x;\n# worker_rlimit_nofile 1;", None, None, False),
    ],
)
def test_what_the_main_level_says(head, user, group, limits):
    found = read(main=MAIN.replace("user www-data;", head))
    assert (found.user, found.group, found.limits) == (user, group, limits)


@pytest.mark.parametrize(
    ("line", "theirs"),
    [("", False), ("variables_hash_max_size 4096;", True), ("variables_hash_bucket_size 128;", True)],
)
def test_the_size_of_the_table_of_variables_stands_once(line, theirs):
    assert read(main=MAIN.replace("http {", f"http {{ {line}")).variables == theirs


def _packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("packed", ["", "%%%", _packed(b"x"), _packed(gzip.compress(b"a" * 99, mtime=0)[:-9])])
def test_a_damaged_dump_is_an_error_of_one_kind(packed):
    with pytest.raises(ValueError, match=r"nginx -T|base64|padding|character"):
        neighbours.read(packed)


def test_a_folder_that_is_included_twice_is_no_place_for_a_release():
    """nginx would read the release twice, and refuse it."""
    twice = "http { include /etc/nginx/conf.d/*.conf; include sites-enabled/*; include conf.d/*.conf; }"
    found = read(main=twice)
    assert (found.included, found.entry) == ({LAST}, LAST)
    alone = "http { include /etc/nginx/conf.d/*.conf; include conf.d/*.conf; }"
    assert read(main=alone).entry == "/etc/nginx/nginx.conf"
