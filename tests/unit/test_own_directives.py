"""files/nginx/<domain>.conf: what of it can stand in a server block, where it gets to, and whose it is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.checkout import own_directives, stray_files
from gateway.deploys import preview
from gateway.fleet.parsing import parse_host
from gateway.nginx.build import Build
from gateway.nginx.plan import TOGETHER
from gateway.nginx.release import ID_PLACEHOLDER
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

from .conftest import PLATFORMS
from .forked import run
from .nginx_reading import Block, read
from .protected import own_servers, server_names

DOMAIN = "wx.a.edu.cn"
BUILD = Build(Version((1, 22, 1)), group="www-data")
HARMLESS = "add_header X-Frame-Options DENY;\nlocation = /robots.txt { return 200 ok; }\n"


@pytest.fixture
def folder(files) -> Path:
    path: Path = files / "nginx"
    path.mkdir()
    return path


def _check(files, *sites, **more):
    entries = sites or ({"domain": DOMAIN, "edge": "slb", "platform": "wanxiao_prod", **more},)
    host, problems = parse_host("h1", {"platforms": PLATFORMS, "sites": list(entries)}, files, certificates=False)
    return host, [one for one in problems if one.field != "verify"]


def _refusal(files) -> str:
    host, (problem,) = _check(files)
    assert host is None
    return str(problem)


def test_a_file_of_plain_directives_is_taken_as_it_is(files, folder):
    (folder / f"{DOMAIN}.conf").write_text(HARMLESS)
    host, problems = _check(files)
    assert problems == []
    own = host.directives[DOMAIN]
    assert own.body == HARMLESS.encode()
    assert own.names == {"add_header", "location"}
    assert [(one.line, one.arguments) for one in own.directives] == [
        (1, ("X-Frame-Options", "DENY")),
        (2, ("=", "/robots.txt")),
    ]


def test_without_a_file_there_is_nothing(files):
    assert _check(files)[0].directives == {}


def test_a_folder_of_files_that_is_none_is_as_without(files):
    (files / "nginx").write_text("a note")
    assert _check(files)[0].directives == {}


@pytest.mark.parametrize(
    "body", [b"\xef\xbb\xbfgzip on;\ngzip_vary on;\n", b"gzip on;\r\ngzip_vary on;\r\n"], ids=["mark", "windows"]
)
def test_what_editors_add_is_dropped_with_a_notice(files, folder, body):
    path = folder / f"{DOMAIN}.conf"
    path.write_bytes(body)
    host, (problem,) = _check(files)
    assert host.directives[DOMAIN].body == b"gzip on;\ngzip_vary on;\n"
    assert problem.severity == "warning"
    assert str(problem).startswith(f"h1: {DOMAIN}: {path}: dropped a byte order mark or the line endings")


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        (b"gzip on;\n}\n", 2, 'unexpected "}"; it would close the server block'),
        # balanced where it is included, and out of the server block all the same
        (b"gzip on;\n}\nserver {\n listen 80;\n", 2, 'unexpected "}"; it would close the server block'),
        (b"} } http { server {", 1, 'unexpected "}"'),
        (b"location /x {\n return 204;\n", 2, 'expecting "}"; close what is open'),
        (b'add_header X "a;\n', 1, "unexpected end of file, expecting"),
        (b"gzip on\n", 1, 'directive "gzip" is not terminated by ";"'),
        (b"location /x { gzip on }\n", 1, 'is not terminated by ";"'),
        (b"gzip on\nadd_header X y;\n", 1, 'invalid number of arguments in "gzip"'),
        (b"location /x return 200;\n", 1, 'has no opening "{"'),
        (b"gzip on;;\n", 1, 'unexpected ";"; take it away'),
        (
            b"gzip on;\nmap $a $b { default 1; }\n",
            2,
            "nginx reads the file inside a server block; what belongs to http",
        ),
        (
            b"proxy_pass http://a;\n",
            1,
            '"proxy_pass" directive is not allowed here; it belongs directly into a',
        ),
        (b"internal;\n", 1, "it belongs directly into a location"),
        (b"location /x/ { listen 81; }\n", 1, "it belongs outside of any block"),
        (
            b"location /x/ { if ($y) { allow all; } }\n",
            1,
            "belongs outside of any block or directly into a location",
        ),
        ("gzip on;\nadd_header\u3000X-A b;\n".encode(), 2, "has a space of a Chinese keyboard or a web page"),
        ("gzip\xa0on;\n".encode(), 1, "has a space of a Chinese keyboard"),
        ("gzip on;\u3000\n".encode(), 1, "has a space of a Chinese keyboard"),
        ("gzip on;\u3000\n}\n".encode(), 1, "has a space of a Chinese keyboard"),
        (
            b"location ~ ^/x{2}$ { return 204; }\n",
            1,
            'unexpected "2"; a regular expression with { or } belongs into',
        ),
        (b"gzip on;\ngzip on;\n", 2, '"gzip" stands in line 1 too; keep one of them'),
        (b"proxy_buffering on;\nproxy_buffering off;\n", 2, "stands in line 1 too"),
        (b"client_body_timeout 9s;\nclient_body_timeout 8s;\n", 2, "stands in line 1 too"),
        (b"location /x {\n root /srv;\n root /opt;\n}\n", 3, '"root" stands in line 2 too'),
        (b"location = /wx { return 204; }\nlocation =/wx { return 204; }\n", 2, '"location" stands in line 1 too'),
        (b"location /wx { return 204; }\nlocation ^~ /wx { return 204; }\n", 2, '"location" stands in line 1 too'),
        (b"server { listen 80; }\n", 1, '"server" directive is not allowed here'),
        (b"upstream x { server 10.0.0.1; }\n", 1, "is not allowed here"),
        ("gzip on；\nadd_header X y;\n".encode(), 1, "a Chinese keyboard wrote ； as ;"),
        (
            "gzip on;\nadd_header X-A “b”;\n".encode(),
            2,
            'nginx takes for letters what a Chinese keyboard wrote; type “ as "',
        ),
        ("location /a/ ｛\n return 204;\n｝\n".encode(), 1, "what a Chinese keyboard wrote; type ｛ as {"),
        (b"gzip on;\nadd_header X a\0b;\n", 2, "has a control character"),
        (b"gzip on;\n\x1b[2J", 2, "has a control character"),
        ("gzip on;\n# 中文\n".encode("gbk"), 2, "is not UTF-8 text; save it as UTF-8"),
        ("gzip on;\n".encode("utf-16"), 1, "is not UTF-8 text"),
    ],
)
def test_what_cannot_stand_in_a_server_block_is_refused_with_its_line(files, folder, body, line, words):
    path = folder / f"{DOMAIN}.conf"
    path.write_bytes(body)
    told = _refusal(files)
    assert told.startswith(f"h1: {DOMAIN}: {path}:{line}: ")
    assert words in told


def test_quotes_comments_and_chinese_are_no_brackets(files, folder):
    (folder / f"{DOMAIN}.conf").write_text(
        'add_header X "}; {";\n# } 中文；\nlocation = /a { return 200 "}；“中文”"; }\n'
        'location ~ "^/a{2}$" { return 204; }\n'
    )
    host, problems = _check(files)
    assert host, problems
    assert [one.name for one in host.directives[DOMAIN].directives] == ["add_header", "location", "location"]


def test_spaces_of_any_kind_may_be_in_quotes_and_comments(files, folder):
    (folder / f"{DOMAIN}.conf").write_text("#\u3000\xa0\nlocation = /a { return 200 'a\u3000b\xa0'; } # \u3000\n")
    assert _check(files)[1] == []


def test_what_nginx_takes_any_number_of_times_is_taken(files, folder):
    text = 2 * "add_header X-A 1;\nlocation ~ ^/a { gzip on; deny all; }\n"
    more = "location /x { alias /srv/x; }\nlocation = /x { alias /srv/x; }\nlocation @x { internal; }\ngzip on;\n"
    (folder / f"{DOMAIN}.conf").write_text(text + more)
    host, problems = _check(files)
    assert host, problems


def test_a_huge_file_is_refused(files, folder):
    (folder / f"{DOMAIN}.conf").write_bytes(b"# \n" * 40_000)
    assert "is larger than 65536 bytes; it is for a few directives of one site" in _refusal(files)


def test_what_is_no_regular_file_is_refused_and_not_waited_for(files, folder):
    os.mkfifo(folder / f"{DOMAIN}.conf")
    assert "is a pipe, no regular file; put the file with the directives" in run(lambda: print(_refusal(files))).stdout


def test_a_folder_of_that_name_is_refused(files, folder):
    (folder / f"{DOMAIN}.conf").mkdir()
    assert f"{folder / DOMAIN}.conf: is a folder, no regular file" in _refusal(files)


@pytest.mark.parametrize("target", ["/etc/passwd", "../certs/privkey.pem"])
def test_a_link_out_of_the_folder_is_refused(files, folder, target):
    (files / "certs").mkdir()
    (files / "certs/privkey.pem").write_text("a key")
    (folder / f"{DOMAIN}.conf").symlink_to(target)
    assert f"outside of {folder}, and would publish it; put the file with the directives there itself" in _refusal(
        files
    )


def test_a_link_that_leads_nowhere_is_told(files, folder):
    (folder / f"{DOMAIN}.conf").symlink_to("gone.conf")
    assert "cannot be read: No such file" in _refusal(files)


def test_two_sites_may_share_a_file_by_a_link(files, folder):
    (folder / "common.conf").write_text(HARMLESS)
    (folder / f"{DOMAIN}.conf").symlink_to("common.conf")
    assert _check(files)[0].directives[DOMAIN].body == HARMLESS.encode()


def test_a_file_that_cannot_be_read_is_told(closed):
    files, close = closed
    (files / "nginx").mkdir()
    (files / "nginx" / f"{DOMAIN}.conf").write_text(HARMLESS)
    with close(files / "nginx"):
        assert "cannot be read: Permission denied" in _refusal(files)


# where it gets to


def _served(sites, own: dict[str, str], **build) -> tuple[Block, dict]:
    """Those of the sites that have the edge of the first one in `own`: a port cannot have both."""
    edge = next(site["edge"] for site in sites if site["domain"] in own)
    sites = [site for site in sites if site["edge"] == edge]
    data = {"platforms": PLATFORMS, "sites": list(sites)}
    host, problems = parse_host("h1", data, Path("no-files"), certificates=False)
    assert host, problems
    read_files = {
        domain: own_directives.parse(f"files/nginx/{domain}.conf", text.encode()) for domain, text in own.items()
    }
    files = tree(replace(host, directives=read_files), replace(BUILD, **build))
    return read(files), files


def _with_header(http: Block) -> list[Block]:
    return [one for one in own_servers(http) if ("X-Own", "yes") in one.all("add_header")]


_BK = {"upstream": "https://paas.inner.example", "apps": ["itsm"]}
SITES = [
    {"domain": f"{name}.b.edu.cn", "edge": edge, "platform": platform, **more}
    for name, edge, platform, more in (
        ("a", "slb", "wanxiao_prod", {}),
        ("b", "slb", "wanxiao_prod", {}),
        ("c", "slb", "wanxiao_prod", {}),
        ("t", "tls", "wanxiao_test", {}),
        ("u", "tls", "bkitsm", {"bk": _BK}),
        ("w", "tls", "wanxiao_prod", {"cert": {"acme": {"email": "o@school.example"}}}),
    )
]


@pytest.mark.parametrize(
    ("name", "ports"),
    [("b", ["80", "9001"]), ("t", ["443 ssl http2", "9001 ssl http2"]), ("w", ["443 ssl http2", "9001 ssl http2"])],
)
def test_every_server_that_serves_the_domains_routes_has_them_and_no_other(name, ports):
    domain = f"{name}.b.edu.cn"
    http, files = _served(SITES, {domain: "add_header X-Own yes;\n"}, ipv6=False)
    having = _with_header(http)
    assert sorted(" ".join(one.all("listen")[0]) for one in having) == ports
    assert [server_names(one) for one in having] == [[domain]] * len(ports)
    assert files[f"files/nginx/{domain}.conf"].body == b"add_header X-Own yes;\n"
    assert [path for path in files if path.startswith("files/")] == [f"files/nginx/{domain}.conf"]


def test_the_others_still_share_a_server():
    http, _ = _served(SITES[:3], {"b.b.edu.cn": HARMLESS})
    names = [server_names(one) for one in own_servers(http)]
    assert names.count(["a.b.edu.cn", "c.b.edu.cn"]) == names.count(["b.b.edu.cn"]) == 2


def test_nor_is_a_server_shared_where_there_are_hundreds_of_certificates(parse, store_pair):
    sites = [{"domain": f"s{number}.b.edu.cn", "edge": "tls", "platform": "wanxiao_prod"} for number in range(TOGETHER)]
    for site in sites:
        store_pair(site["domain"])
    host, _ = parse(*sites)
    own = own_directives.parse("x", b"add_header X-Own yes;\n")
    http = read(tree(replace(host, directives={"s7.b.edu.cn": own}), BUILD))
    assert {*map(tuple, map(server_names, _with_header(http)))} == {("s7.b.edu.cn",)}
    assert len(own_servers(http)) < 10


def test_they_stand_behind_everything_of_the_gateways():
    """Where order counts (`if`, `rewrite`, `error_page`, regular expressions) the gateway's go first."""
    http, _ = _served(SITES, {"u.b.edu.cn": "add_header X-Own yes;\nlocation = /own { return 204; }\n"})
    (server,) = _with_header(http)
    assert server.directives[-1] == ("add_header", ("X-Own", "yes"))
    assert list(server.locations())[-1] == "= /own"
    assert server.blocks[-1].arguments == ("=", "/own")


@pytest.mark.parametrize("name", ["a", "t", "w"])
def test_what_the_gateway_only_prefers_is_theirs_to_say(name):
    text = "gzip on;\nproxy_buffering on;\nclient_body_timeout 9s;\nadd_header X-Own yes;\n"
    http, _ = _served(SITES, {f"{name}.b.edu.cn": text})
    for server in own_servers(http):
        if not server.all("proxy_ssl_verify"):  # port 80 at edge tls
            continue
        mine = server in _with_header(http)
        assert server.inherited("gzip") == [("on" if mine else "off",)]
        assert server.inherited("proxy_buffering") == [("on" if mine else "off",)]
        assert server.inherited("client_body_timeout") == [("9s" if mine else "30s",)]
        # what stands beside them in the same files stays
        assert server.all("merge_slashes") == [("on",)]
        assert server.all("proxy_ssl_verify") == [("on",)]


def test_names_that_they_add_are_known_to_the_host():
    text = "server_name Theirs.example www.theirs.example;\nlocation /x { return 204; }\n"
    _, files = _served(SITES, {"b.b.edu.cn": text})
    assert files["names"].body == b"theirs.example\nwww.theirs.example\n"
    assert "names" not in _served(SITES, {"b.b.edu.cn": HARMLESS})[1]


def test_the_release_is_another_one_and_a_preview_shows_the_text():
    _, files = _served(SITES[:1], {"a.b.edu.cn": HARMLESS})
    assert preview.public_texts(files)["files/nginx/a.b.edu.cn.conf"] == HARMLESS.encode()
    assert (
        ID_PLACEHOLDER.decode() + "/files/nginx/a.b.edu.cn.conf;" in files["sites/wanxiao_prod-slb.conf"].body.decode()
    )


# whose it is


@pytest.fixture
def stray(tmp_path, monkeypatch):
    """stray(names): what is told of these files in files/nginx/, with two sites and another inventory."""
    monkeypatch.chdir(tmp_path)
    Path("inventory").mkdir()
    Path("inventory/prod.py").write_text("")
    Path("inventory/test.py").write_text('["other.edu.cn"]')
    Path("files/nginx").mkdir(parents=True)

    def told(*names: str) -> list[str]:
        for name in names:
            (Path("files/nginx") / name).write_text("gzip on;\n")
        found = stray_files.warnings({"wx.a.edu.cn", "wx.b.edu.cn"}, Path("inventory/prod.py"), Path("files"))
        assert all(one.severity == "warning" for one in found)
        return list(map(str, found))

    return told


def test_files_of_sites_and_of_other_inventories_are_no_strays(stray):
    assert stray("wx.a.edu.cn.conf", "other.edu.cn.conf", "README.md", ".gitkeep") == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WX.a.edu.cn.conf", "wx.a.edu.cn.conf"),
        ("wx.a.edu.cn", "wx.a.edu.cn.conf"),
        ("wx.a.edu.cn.CONF", "wx.a.edu.cn.conf"),
        ("wx.a.edu.cn.conf.txt", "wx.a.edu.cn.conf"),
        ("wx.a.edu.con.conf", "wx.a.edu.cn.conf"),
        ("wx-b.edu.cn.conf", "wx.b.edu.cn.conf"),
    ],
)
def test_a_name_that_no_site_has_is_told_with_the_one_that_was_meant(stray, name, meant):
    told = "no site of this inventory has a file of that name, so its directives are in no server"
    assert stray(name) == [f'files/nginx/{name}: {told}; did you mean "{meant}"?']


def test_what_no_site_can_have_been_meant_by_is_told_too(stray):
    (told,) = stray("wx.a.edu.cn.conf", "wx.a.edu.cn.conf.bak")
    assert told.startswith("files/nginx/wx.a.edu.cn.conf.bak: no site")
    assert told.endswith("it has to be <domain>.conf; add the site, or delete the file")
