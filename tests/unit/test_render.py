"""From sites to a release: what must hold whatever the templates say. Behaviour is proven on real hosts."""

from __future__ import annotations

import io
import re
import tarfile
from dataclasses import replace

import pytest

from gateway.nginx import release
from gateway.nginx.build import Build
from gateway.nginx.plan import TOGETHER
from gateway.nginx.tls_profile import FEATURES, Version
from gateway.nginx.tree import tree

from .conftest import long_domain

VERSIONS = ["1.18.0", "1.22.1", "1.26.3", "1.30.6"]
BK = {"upstream": "https://paas.inner.example", "apps": ["bk_itsm"]}


def _build(version="1.22.1", ipv6=True):
    return Build(Version.parse(version), ipv6)


@pytest.fixture
def host(parse, store_pair):
    store_pair("card.b.edu.cn")
    store_pair("itsm.b.edu.cn")
    parsed, problems = parse(
        {"domain": "card.b.edu.cn", "edge": "tls", "platform": "wanxiao_test", "hsts": 300},
        {"domain": "itsm.b.edu.cn", "edge": "tls", "platform": "bkitsm", "bk": BK},
    )
    assert not problems
    return parsed


def test_the_same_inventory_gives_the_same_release(host):
    first, second = (release.build(tree(host, _build())) for _ in range(2))
    assert first.id == second.id
    assert first.archive() == second.archive()
    assert first.manifest() == second.manifest()


@pytest.mark.parametrize("length", [100, 108, 200, 230])
def test_a_long_domain_is_archived_whole_and_alike_every_time(parse, store_pair, length):
    domain = long_domain(length)
    _, key = store_pair(domain)
    host, _ = parse({"domain": domain, "edge": "tls", "platform": "wanxiao_prod"})
    first, second = (release.build(tree(host, _build())) for _ in range(2))
    assert first.archive() == second.archive()
    with tarfile.open(fileobj=io.BytesIO(first.archive())) as archive:
        assert {member.name for member in archive if member.isfile()} == first.files.keys()
        assert archive.extractfile(f"certs/{domain}/privkey.pem").read() == key


def test_every_byte_and_mode_counts_for_the_id(host):
    files = tree(host, _build())
    known = release.build(files).id
    for path, file in files.items():
        if path == release.BUILD:  # what the host was is told; hosts for which all else is the same have one release
            assert release.build({**files, path: release.File(b"other")}).id == known
            continue
        assert release.build({**files, path: release.File(file.body + b"#", file.secret)}).id != known
        assert release.build({**files, path: release.File(file.body, not file.secret)}).id != known
    assert release.build({path: file for path, file in files.items() if path != "closed.conf"}).id != known


def test_the_id_stands_in_every_path(host):
    built = release.build(tree(host, _build()))
    text = b"".join(file.body for file in built.files.values())
    assert release.ID_PLACEHOLDER not in text
    assert set(re.findall(rb"/releases/([^/]+)/", text)) == {built.id.encode()}


def test_keys_are_for_root_alone_from_the_first_moment(host):
    built = release.build(tree(host, _build()))
    keys = {path for path, file in built.files.items() if b"PRIVATE KEY" in file.body}
    assert keys == {"certs/card.b.edu.cn/privkey.pem", "certs/itsm.b.edu.cn/privkey.pem"}
    with tarfile.open(fileobj=io.BytesIO(built.archive())) as archive:
        modes = {member.name: (member.mode, member.uid) for member in archive}
    for path in keys:
        assert modes[path] == (0o600, 0)
        assert modes[path.rpartition("/")[0]] == (0o700, 0)
    assert modes["sites/card.b.edu.cn.conf"] == (0o644, 0)


def test_no_key_shows_in_any_repr(host):
    built = release.build(tree(host, _build()))
    shown = repr((host, built, built.files, tree(host, _build())))
    assert "PRIVATE KEY" not in shown
    assert "BEGIN" not in shown


def test_diff_names_paths_only(host):
    old = release.build(tree(host, _build())).manifest()
    files = dict(tree(host, _build()))
    del files["closed.conf"]
    files["certs/card.b.edu.cn/privkey.pem"] = release.File(b"SECRET", secret=True)
    files["new.txt"] = release.File(b"x")
    kinds = {change.path: change.kind for change in release.diff(old, release.build(files).manifest())}
    assert kinds["closed.conf"] == "removed"
    assert kinds["new.txt"] == "added"
    assert kinds["certs/card.b.edu.cn/privkey.pem"] == "changed"
    assert "no-authority.pem" not in kinds
    assert "SECRET" not in repr(release.diff(old, release.build(files).manifest()))


def _many_tls(parse, store_pair, count):
    domains = [f"s{number:03}.b.edu.cn" for number in range(count)]
    for domain in domains:
        store_pair(domain)
    parsed, _ = parse(*({"domain": domain, "edge": "tls", "platform": "wanxiao_prod"} for domain in domains))
    return parsed


def test_many_tls_sites_share_servers_and_the_workers_alone_may_read_their_keys(parse, store_pair):
    host = _many_tls(parse, store_pair, TOGETHER)
    files = tree(host, replace(_build(), group="www-data"))
    assert [path for path in files if path.startswith("sites/")] == ["sites/wanxiao_prod-tls.conf"]
    assert "    s099.b.edu.cn s099.b.edu.cn;" in files["certificates.conf"].body.decode()
    built = release.build(files)
    with tarfile.open(fileobj=io.BytesIO(built.archive())) as archive:
        key = archive.getmember("certs/s000.b.edu.cn/privkey.pem")
        folder = archive.getmember("certs/s000.b.edu.cn")
    assert (key.mode, key.uid, key.gname) == (0o640, 0, "www-data")
    assert (folder.mode, folder.uid, folder.gname) == (0o750, 0, "www-data")
    modes = {entry.path: entry.mode for entry in built.manifest()}
    assert modes["certs/s000.b.edu.cn/privkey.pem"] == "640:www-data"


@pytest.mark.parametrize(("count", "group"), [(TOGETHER - 1, "www-data"), (TOGETHER, None)])
def test_few_tls_sites_or_an_unknown_group_keep_keys_for_root(parse, store_pair, count, group):
    files = tree(_many_tls(parse, store_pair, count), replace(_build(), group=group))
    assert len([path for path in files if path.startswith("sites/")]) == count
    assert {file.shown_mode for path, file in files.items() if path.endswith("privkey.pem")} == {"600"}


@pytest.mark.parametrize("version", VERSIONS)
def test_each_nginx_gets_the_directives_it_knows(parse, store_pair, monkeypatch, version):
    monkeypatch.setattr("gateway.nginx.plan.TOGETHER", 2)
    files = tree(_many_tls(parse, store_pair, 2), replace(_build(version), group="www-data"))
    text = b"".join(file.body for path, file in files.items() if path.endswith(".conf")).decode()
    number = Version.parse(version).number
    markers = {
        "reject_handshake": "ssl_reject_handshake on;",
        "trust_directory": "proxy_ssl_conf_command VerifyCAPath",
        "http2_directive": "http2 on;",
        "ticket_rotation": "ssl_session_tickets on;",
        "certificate_cache": "ssl_certificate_cache",
    }
    until = {"one_header_limit": "http2_max_field_size 33k;"}
    assert markers.keys() | until.keys() == {feature for feature, needs in FEATURES.items() if needs.nginx > (0, 0, 0)}
    assert "large_client_header_buffers 4 33k;" in text
    for feature, directive in until.items():
        assert (directive in text) == (number < FEATURES[feature].nginx), feature
    for feature, directive in markers.items():
        assert (directive in text) == (number >= FEATURES[feature].nginx), feature
    assert (" ssl http2" in text) == (number < FEATURES["http2_directive"].nginx)


@pytest.mark.parametrize(("openssl", "hybrid"), [("3.0.22", False), ("3.4.9", False), ("3.5.4", True), (None, False)])
def test_the_hybrid_key_exchange_is_offered_where_openssl_has_it(host, openssl, hybrid):
    files = tree(host, replace(_build("1.26.3"), openssl=openssl and Version.parse(openssl)))
    curves = "X25519MLKEM768:X25519:prime256v1:secp384r1;" if hybrid else "ssl_ecdh_curve X25519:prime256v1:secp384r1;"
    assert curves in files["snippets/tls.conf"].body.decode()


def test_ipv6_only_where_the_host_has_it(host):
    def text(ipv6):
        return b"".join(file.body for file in tree(host, _build(ipv6=ipv6)).values())

    assert b"listen [::]:443" in text(True)
    assert b"[::]" not in text(False)


def test_server_names_get_room_only_when_needed(parse):
    def config(*domains):
        sites = [{"domain": domain, "edge": "slb", "platform": "wanxiao_prod"} for domain in domains]
        parsed, problems = parse(*sites)
        assert not problems
        return tree(parsed, _build())["gateway.conf"].body

    assert b"server_names_hash" not in config("wx.a.edu.cn")
    assert b"server_names_hash_bucket_size 128" in config("a" * 60 + ".edu.cn")
    assert b"server_names_hash_bucket_size 512" in config(long_domain(230))
    assert b"server_names_hash_max_size" in config(*(f"s{number}.edu.cn" for number in range(300)))


def test_sites_behind_a_load_balancer_share_servers_where_nothing_but_the_name_differs(parse, files):
    def site(name, **more):
        return {"domain": f"{name}.edu.cn", "edge": "slb", "platform": "wanxiao_prod", **more}

    for name, file in (("c", "unusual.txt"), ("d", "WW_verify_AaaaAaaaAaaa0001.txt")):
        folder = files / "verify" / f"{name}.edu.cn"
        folder.mkdir(parents=True)
        (folder / file).write_text("AaaaAaaaAaaa0001")
    parsed, problems = parse(site("b"), site("a"), site("c"), site("d"), site("e", max_body="9m"))
    assert not problems
    text = tree(parsed, _build())["sites/wanxiao_prod-slb.conf"].body.decode()
    names = [" ".join(found.split()) for found in re.findall(r"server_name ([^;]+);", text)]
    # c has a file whose name might be some page of the platform for the others
    assert sorted(set(names)) == ["a.edu.cn b.edu.cn d.edu.cn", "c.edu.cn", "e.edu.cn"]
    assert "X-Forwarded-Host c.edu.cn;" in text
    assert "X-Forwarded-Host $host;" in text


def test_a_load_balancers_plain_http_is_looked_for_in_every_location_of_sites_that_name_one(parse, store_pair):
    def site(name, **more):
        return {"domain": f"{name}.edu.cn", "edge": "slb", "platform": "wanxiao_test", **more}

    here, there = ["10.0.0.0/24"], ["10.1.0.0/24", "fd00::/64"]
    store_pair("t.edu.cn")
    tls = {"domain": "t.edu.cn", "edge": "tls", "platform": "bkitsm", "bk": BK, "slb_cidrs": here}
    sites = [site("a", slb_cidrs=there), site("b", slb_cidrs=here), site("c", slb_cidrs=here), site("d")]
    parsed, problems = parse(*sites, tls)
    assert not problems
    files = {path: file.body.decode() for path, file in tree(parsed, _build()).items() if path.endswith(".conf")}
    balancers = " ".join(files["balancers.conf"].split())
    assert "geo $realip_remote_addr $wecom_gateway_balancer_1 { default 0; 10.0.0.0/24 1; }" in balancers
    assert "geo $realip_remote_addr $wecom_gateway_balancer_2 { default 0; 10.1.0.0/24 1; fd00::/64 1; }" in balancers
    assert "include /etc/nginx/wecom-gateway/releases/" in files["gateway.conf"]
    assert "/balancers.conf;" in files["gateway.conf"]
    assert "wecom_gateway_plain" not in files["sites/t.edu.cn.conf"]
    for server in files["sites/wanxiao_test-slb.conf"].split("\nserver {")[1:]:
        name = re.search(r"server_name ([a-d])", server)[1]
        number = {"a": 2, "b": 1, "d": None}[name]
        origin = "$host" if name == "b" else f"{name}.edu.cn"
        public = origin if "listen 80;" in server else f"{origin}:9001"
        asked = re.findall(r"if \(\$wecom_gateway_plain_(\d)\) \{\s+return 301 (\S+);", server)
        own = [text for text in server.split("location ")[1:] if "proxy_pass" in text or "return 404" in text]
        if number is None:
            assert not asked
        else:
            assert set(asked) == {(str(number), f"https://{public}$request_uri")}
            assert all("wecom_gateway_plain" in text for text in own)
    assert "balancers.conf" not in tree(parse(site("d"))[0], _build())["gateway.conf"].body.decode()


def test_a_host_without_sites_still_tells_its_release(parse):
    parsed, problems = parse()
    assert not problems
    files = tree(parsed, _build())
    assert b"listen 127.0.0.1:19001" in files["release.conf"].body
    assert b"server {" not in files["closed.conf"].body


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("nginx version: nginx/1.22.1", (1, 22, 1)),
        ("nginx version: nginx/1.26.3 (Ubuntu)", (1, 26, 3)),
        ("1.18.0-6.1+deb11u3", (1, 18, 0)),
    ],
)
def test_versions_are_read_as_nginx_and_debian_write_them(text, number):
    assert Version.parse(text).number == number


def test_no_version_is_an_error():
    with pytest.raises(ValueError, match="no version"):
        Version.parse("bash: nginx: command not found")


@pytest.mark.parametrize("theirs", [False, True])
def test_the_table_of_variables_is_sized_where_nobody_else_does(host, theirs):
    build = Build(Version.parse("1.22.1"), foreign_variables=theirs)
    text = tree(host, build)["gateway.conf"].body
    assert (b"\nvariables_hash_max_size 2048;" in text) != theirs
