"""`adopt`: what it reads, what it writes, and what it says of a server block."""

from __future__ import annotations

import json
import random
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.adopt import adopting, fetched, reading, source
from gateway.adopt.adopting import Adoption
from gateway.adopt.platforms import KNOWN
from gateway.certificates import pem
from gateway.cli.main import main
from gateway.deploys.handwritten import Handwritten
from gateway.fleet import loading
from gateway.problems import errors
from tests.conftest import REPO
from tests.platforms import PLATFORMS

from .importing import CHAIN, DOMAIN, LEAF, enter_checkout
from .pki import assert_no_key

SITE = "server { listen 80; server_name wx.a.edu.cn; location / { proxy_pass https://hub.17wanxiao.com; } }\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enter_checkout(tmp_path / "files", monkeypatch)
    monkeypatch.setattr("pyinfra_cli.util.PYTHON_CODES", {})  # it remembers files by a name without a folder


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(main, ["adopt", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert_no_key(done.output, LEAF)
    return done


def put(name: str, text: str | bytes) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return name


def adopted(text: str, *domains: str) -> Adoption:
    files = source.read(Path(put("old/nginx.conf", text)))
    return adopting.adopt(reading.read(files), files, domains)


def told(adoption: Adoption) -> str:
    return "\n".join(finding.text for block in adoption.blocks for finding in block.findings)


def site(*directives: str, listen: str = "80", name: str = "wx.a.edu.cn") -> str:
    return f"server {{ listen {listen}; server_name {name}; {' '.join(directives)} }}\n"


PASS = "location / { proxy_pass http://10.0.0.8:8080; }"


def test_the_platforms_that_are_recognised_are_those_of_the_checkout() -> None:
    assert {name: PLATFORMS[name] for name in KNOWN} == KNOWN


# what it reads


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (None, "old: cannot be read: No such file or directory; right would be nginx's folder"),
        (b"", "old: is empty; right would be"),
        (b" \n", "old: is empty; right would be"),
        (b"\x7fELF\0\0\1", "old: is no text; right would be"),
        (b"hello", "old: no server block in it"),
        (b"events {}\nhttp {\n}\n", "old: no server block in it"),
        (b"server { listen 80;", 'old: no server block in it; old:1: unexpected end of file, expecting "}"'),
        (b"}}}", 'old: no server block in it; old:1: unexpected "}"'),
        (b"{" * 5000, "old: no server block in it"),
        (b"sudo: a password is required\n", 'old: nginx printed no configuration: "sudo: a password is required"'),
        (b"nginx: [emerg] host not found in upstream\n", "nginx printed no configuration"),
        (b"a{" * 3000 + b"}" * 3000, "old: no server block in it"),
        (b"include **x*[;\n", "old: no server block in it"),
        (b"include old;\n", "old: no server block in it; old:1: old includes itself"),
    ],
)
def test_where_nothing_can_be_read_one_sentence_says_why(given: bytes | None, fault: str) -> None:
    if given is not None:
        put("old", given)
    done = run("old", "--out", "new")
    assert done.exit_code == 1
    assert fault in done.output
    assert done.output.count("\n") == 1
    assert not Path("new").exists()


def test_a_folder_without_configuration_is_told() -> None:
    Path("old").mkdir()
    done = run("old", "--out", "new")
    assert done.exit_code == 1
    assert "old: has no file of nginx" in done.output


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo("old")
    done = run("old", "--out", "new")
    assert (done.exit_code, "is a pipe" in done.output) == (1, True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_text_is_read_in_whatever_encoding_it_was_saved(encoding: str) -> None:
    text = f"# configuration file /etc/nginx/nginx.conf:\r\n# 学校的反向代理\r\nhttp {{ {SITE} }}\r\n"
    put("old.txt", text.encode(encoding))
    done = run("old.txt", "--out", "new")
    assert done.exit_code == 0
    assert "/etc/nginx/nginx.conf:2: wx.a.edu.cn [80]: adopted" in done.output


def test_includes_of_what_nginx_printed_are_found_among_its_files() -> None:
    put(
        "old.txt",
        "# configuration file /usr/local/nginx/conf/nginx.conf:\nhttp { include vhost/*.conf; }\n"
        f"# configuration file /usr/local/nginx/conf/vhost/b.conf:\n{site(PASS, name='b.a.edu.cn')}"
        "# configuration file /usr/local/nginx/conf/vhost/a.conf:\n"
        "server { server_name a.a.edu.cn; include /data/part; }\n"
        f"# configuration file /data/part:\n{PASS}\n"
        f"# configuration file /usr/local/nginx/conf/vhost/deep/c.conf:\n{site(PASS, name='c.a.edu.cn')}",
    )
    files = source.read(Path("old.txt"))
    found = adopting.adopt(reading.read(files), files)
    assert [one.entry["domain"] for one in found.sites] == ["a.a.edu.cn", "b.a.edu.cn"]


def test_absolute_includes_are_found_in_a_copy_of_the_folder() -> None:
    put("old/nginx.conf", "http { include /etc/nginx/conf.d/*.conf; }")
    put("old/conf.d/a.conf", SITE)
    assert "old/conf.d/a.conf:1: wx.a.edu.cn" in run("old", "--out", "new").output


def test_a_folder_of_bare_files_is_read_and_no_file_twice() -> None:
    put("vhost/a.conf", "server { server_name wx.a.edu.cn; include /www/vhost/proxy/a/*.conf; }")
    put("vhost/proxy/a/x.conf", "location / { proxy_pass https://hub.17wanxiao.com; }")
    done = run("vhost", "--out", "new", "--json")
    data = json.loads(done.output)
    assert [one["domain"] for one in data["sites"]] == ["wx.a.edu.cn"]
    assert len(data["blocks"]) == 1


def test_a_server_block_of_which_a_part_is_missing_is_left_alone() -> None:
    found = adopted(site("include gone.conf;", PASS) + site(PASS, name="b.a.edu.cn"))
    assert [block.outcome for block in found.blocks] == ["left", "different"]
    assert "is not in the source, so nobody knows what is in it" in told(found)
    assert "old/nginx.conf:1: gone.conf is not there" in str(found.unread[0])


def test_a_file_with_a_fault_is_told_and_the_others_are_read() -> None:
    put("old/a.conf", SITE)
    put("old/b.conf", "server { listen 80\n}")
    done = run("old", "--out", "new")
    assert done.exit_code == 0
    assert 'not read: old/b.conf:1: directive "listen" is not terminated by ";"' in done.output


def test_files_that_include_each_other_end() -> None:
    put("old/nginx.conf", f"http {{ include a.conf; {SITE} }}")
    put("old/a.conf", "include b.conf;")
    put("old/b.conf", "include a.conf;")
    assert "old/b.conf:1: old/a.conf includes itself" in run("old", "--out", "new").output


def test_files_that_multiply_each_other_end() -> None:
    for number in range(40):
        put(f"old/{number}.conf", f"include {number + 1}.conf;\n" * 2)
    put("old/40.conf", "gzip on;\n")
    put("old/nginx.conf", "include 0.conf;")
    assert "directives are included" in run("old", "--out", "new").output


def test_no_mixture_of_words_makes_it_fall_over() -> None:
    texts = [path.read_text() for path in sorted((REPO / "tests/adopt").glob("*.*")) if path.is_file()]
    words = [re.findall(r"\s+|[^\s;{}]+|[;{}]", text) for text in texts]
    chance = random.Random(15)  # noqa: S311
    for _ in range(150):
        mixed = list(chance.choice(words))
        for _ in range(4):
            place = chance.randrange(len(mixed))
            mixed[place] = chance.choice([chance.choice(chance.choice(words)), "", mixed[place] * 2])
        try:
            adopted("".join(mixed), "a.example.com")
        except source.SourceError as error:
            assert "; right would be" in str(error)


# what it writes


def _with_certificate(certificate: bytes = CHAIN) -> None:
    put(
        "old/nginx.conf",
        site(
            "ssl_certificate ssl/wx.pem; ssl_certificate_key ssl/wx.key;",
            "location = /WW_verify_AbCdEfGh12345678.txt { return 200 'AbCdEfGh12345678'; }",
            PASS,
            listen="443 ssl",
            name="wx.a.edu.cn",
        ),
    )
    put("old/ssl/wx.pem", certificate)
    put("old/ssl/wx.key", LEAF.key_pem)


def test_certificate_and_key_are_taken_along_and_the_key_is_kept_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    _with_certificate()
    done = run("old", "--out", "new", "--host", "192.0.2.7")
    assert done.exit_code == 0
    folder = Path("new/files/certs") / DOMAIN
    assert pem.load_certificates((folder / "fullchain.pem").read_bytes())[0] == LEAF.certificate
    assert stat.S_IMODE((folder / "privkey.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not list(Path().glob(".new*"))
    monkeypatch.chdir("new")
    fleet = loading.load("inventory/prod.py")
    assert not errors(fleet.problems)
    assert [host.name for host in fleet.hosts] == ["192.0.2.7"]


def test_a_certificate_that_cannot_be_used_is_told_with_what_to_do() -> None:
    _with_certificate(b"-----BEGIN CERTIFICATE-----\n")
    output = run("old", "--out", "new").output
    assert "without its certificate" in output
    assert f"python -m gateway import-cert {DOMAIN} FILE..." in output
    assert not Path("new/files/certs").exists()


def test_a_name_that_the_certificate_does_not_have_is_no_longer_answered() -> None:
    _with_certificate()
    text = Path("old/nginx.conf").read_text().replace("server_name wx.a.edu.cn", "server_name wx.a.edu.cn oa.a.edu.cn")
    done = run(put("old/nginx.conf", text), "--out", "new", "--json")
    data = json.loads(done.output)
    assert [one["domain"] for one in data["sites"]] == ["wx.a.edu.cn"]
    assert "no longer answered: oa.a.edu.cn" in done.output


def test_what_is_there_already_is_never_touched() -> None:
    put("new/inventory/prod.py", "mine")
    done = run(put("old.conf", SITE), "--out", "new")
    assert done.exit_code == 1
    assert done.output == "error: new has files already (inventory), which stay as they are; name a new folder\n"
    assert Path("new/inventory/prod.py").read_text() == "mine"
    assert "is a file; name a folder" in run("old.conf", "--out", put("file", "mine")).output


def test_an_empty_folder_is_filled_and_one_far_away_is_made() -> None:
    Path("empty").mkdir()
    put("old.conf", SITE)
    assert run("old.conf", "--out", "empty").exit_code == 0
    assert run("old.conf", "--out", "a/b/new").exit_code == 0
    assert (Path("empty/inventory/prod.py").read_text()) == Path("a/b/new/inventory/prod.py").read_text()


def test_nothing_is_left_behind_where_writing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    _with_certificate()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gateway.certificates.stored.write", full)
    done = run("old", "--out", "new")
    assert (done.exit_code, done.output) == (
        1,
        "error: new cannot be written: No space left on device; name another folder\n",
    )
    assert sorted(path.name for path in Path().iterdir() if "new" in path.name) == []


def test_nothing_is_written_where_no_server_block_can_be_a_site() -> None:
    done = run(put("old.conf", "server { listen 80; root /srv; server_name www.a.edu.cn; }"), "--out", "new")
    assert done.exit_code == 0
    assert "no server block can be a site, so new was not written" in done.output
    assert not Path("new").exists()


def test_a_folder_that_only_others_may_look_into_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("old/html").mkdir(parents=True)
    monkeypatch.setattr(Path, "iterdir", lambda _: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    found = adopted(site("location /b/ { proxy_pass http://10.0.0.8; }", "root html;"))
    assert "what is in html is not in the source" in told(found)


def test_a_root_that_is_none_is_told() -> None:
    done = run(put("old.conf", SITE), "--out", "new", "--root", "gone")
    assert (done.exit_code, done.output.startswith("error: --root gone: is no folder")) == (1, True)


def test_json_has_all_that_is_told() -> None:
    data = json.loads(run(put("old.conf", SITE), "--out", "new", "--json").output)
    (block,) = data["blocks"]
    assert (block["file"], block["line"], block["names"], block["ports"]) == ("old.conf", 1, ["wx.a.edu.cn"], [80])
    assert (block["outcome"], block["domains"]) == ("different", ["wx.a.edu.cn"])
    assert {"file", "line", "text"} == set(block["different"][0])
    assert data["sites"] == [{"domain": "wx.a.edu.cn", "edge": "slb", "platform": "wx_a_edu_cn"}]
    assert "new/inventory/prod.py" in data["written"]


# what it says of a server block

TLS = "443 ssl"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (site(PASS, listen=TLS) + site(PASS, listen="9001"), "speaks plain http on port 9001, and TLS on another"),
        (site(PASS, listen="443"), "listens on 443 without TLS"),
        (site(PASS, listen="80 ssl"), "speaks TLS on port 80"),
        (site(PASS, listen="8080") + site(PASS, listen="8081"), "listens on 8080, 8081"),
        (site("return 301 https://$host$request_uri;", PASS), "sends all plain http on to https"),
        (site("return 301 https://$host$request_uri;", PASS, listen=TLS), "sends visitors by https to the same place"),
        (site(PASS, "deny 10.0.0.9;"), "no key keeps out single networks"),
        (
            site(PASS, "location /x/ { proxy_pass http://10.0.0.9; allow 10.0.0.0/8; deny all; }"),
            "lets some visitors use one part of the site alone",
        ),
        (
            site("location / { set $up 10.0.0.8; if ($cookie_a) { set $up 10.0.0.9; } proxy_pass http://$up; }"),
            "decides by a condition",
        ),
        (site("location / { proxy_pass http://$arg_host; }"), "depends on a variable"),
        (site("location / { proxy_pass http://unix:/run/x.sock; }"), "a socket of the host"),
        (site("location / { proxy_pass https://10.0.0.8; }"), "the gateway verifies a name; write proxy_ssl_name"),
        (
            site("location / { proxy_pass https://a.inner.cn; proxy_set_header Host b.inner.cn; }"),
            "a.inner.cn gets another name as Host, b.inner.cn",
        ),
        (
            "upstream two { server a.inner.cn; server b.inner.cn; }" + site("location / { proxy_pass http://two; }"),
            "has several names; nodes are addresses",
        ),
        (
            "upstream two { server 10.0.0.8; server 10.0.0.9 backup; }" + site("location / { proxy_pass http://two; }"),
            "none of them is a backup",
        ),
        (site(PASS, "error_page 404 = @old; location @old { proxy_pass http://10.0.0.9; }"), "after an error"),
        (site("location /index.jsp { proxy_pass http://10.0.0.8; }"), "which looks like a page"),
        (
            site(
                "location / { root /srv/spa; try_files $uri /index.html; }",
                "location /api/ { proxy_pass http://10.0.0.8; }",
            ),
            "a site of files",
        ),
        (site(PASS, "location /private/ { alias /etc/ssl/; }"), "publishes whatever nginx can read there"),
        (site("location / { satisfy any; allow 10.0.0.0/8; deny all; proxy_pass http://10.0.0.8; }"), "satisfy any"),
        (site(PASS, listen="80 proxy_protocol"), "takes the PROXY protocol on a plain port"),
        (site(PASS, listen="443 ssl proxy_protocol"), "names no network of a load balancer"),
        (site(PASS) + site("root /srv;", listen="8080"), "beside server blocks that do: a site of files"),
        (site(PASS, listen=TLS) + site("location /x/ { proxy_pass http://10.0.0.7; }"), "by plain http alone"),
    ],
)
def test_a_server_block_that_no_entry_can_say_is_left_alone(text: str, reason: str) -> None:
    found = adopted(text)
    assert reason in told(found)
    assert not found.sites


def test_one_that_is_left_alone_takes_the_others_of_its_domain_with_it() -> None:
    found = adopted(site(PASS) + site("auth_basic x;", PASS, listen="9001") + site(PASS, name="b.a.edu.cn"))
    assert [block.outcome for block in found.blocks] == ["left", "left", "different"]
    assert "belongs to wx.a.edu.cn, of which another server block cannot be carried over (old/nginx.conf:2)" in told(
        found
    )


@pytest.mark.parametrize(
    ("text", "routes", "different"),
    [
        (
            site("location /a { proxy_pass http://10.0.0.8/b/; }"),
            [("/a/", "http://10.0.0.8/b/")],
            "/a/x went out as /b//x; the double slash is mended",
        ),
        (
            site("location /a/ { proxy_pass http://10.0.0.8/b; }"),
            [("/a/", "http://10.0.0.8/b/")],
            "/a/x went out as /bx; the missing slash is mended",
        ),
        (
            site("location /a { rewrite ^/a/(.*)$ /b/$1 break; proxy_pass http://10.0.0.8; }"),
            [("/a/", "http://10.0.0.8/b/")],
            "/a/ and what is below it is passed on, /ax no longer",
        ),
        (
            site("location ~ ^/(a|b)/x/ { proxy_pass http://10.0.0.8; }"),
            [("/a/x/", "http://10.0.0.8/a/x/"), ("/b/x/", "http://10.0.0.8/b/x/")],
            "the expression becomes /a/x/, /b/x/",
        ),
        (
            site("try_files $uri @app; location @app { proxy_pass http://10.0.0.8; }"),
            [("/", "http://10.0.0.8/")],
            "slb_cidrs",
        ),
        (site(PASS, listen="8080"), [("/", "http://10.0.0.8:8080/")], "has to come in on port 80, in place of 8080"),
        (
            site(PASS, "location ~ \\.php$ { fastcgi_pass x; }").replace("location / {", "location ^~ / {"),
            [("/", "http://10.0.0.8:8080/")],
            "slb_cidrs",
        ),
        (
            site("location / { proxy_pass https://10.0.0.8:8443; proxy_ssl_name a.inner.cn; }"),
            [("/", "https://a.inner.cn/")],
            "the certificate of https://a.inner.cn is verified from now on",
        ),
        (
            site(PASS, "location = /x { return 302 /y; }", "limit_req zone=one;"),
            [("/", "http://10.0.0.8:8080/")],
            '"limit_req zone=one" is left out',
        ),
        (
            site(PASS, "add_header X-A $from_map;") + "map $uri $from_map { default 1; }",
            [("/", "http://10.0.0.8:8080/")],
            "$from_map is made outside of the server block",
        ),
        (site(PASS, 'more_set_headers "Server: x";'), [("/", "http://10.0.0.8:8080/")], "no deploy installs"),
        (site(PASS, "client_max_body_size 0;"), [("/", "http://10.0.0.8:8080/")], "bodies of any size passed"),
    ],
)
def test_what_will_be_different_is_told(text: str, routes: list[tuple[str, str]], different: str) -> None:
    found = adopted(text)
    (platform,) = found.platforms.values()
    assert [(row["path"], row["upstream"]) for row in platform["routes"]] == routes
    assert different in told(found)


def test_a_listener_of_the_host_s_own_programs_is_no_part_of_a_site() -> None:
    found = adopted(site(PASS) + site("stub_status;", listen="127.0.0.1:8080"))
    assert [block.outcome for block in found.blocks] == ["different", "left"]


def test_authorities_of_one_name_stay_apart() -> None:
    put("old/a/ca.pem", "a")
    put("old/b/ca.pem", "b")
    parts = [
        site(
            f"location / {{ proxy_pass https://{name}.inner.cn; proxy_ssl_trusted_certificate {name}/ca.pem; }}",
            name=f"{name}.a.edu.cn",
        )
        for name in ("a", "b")
    ]
    found = adopted("".join(parts))
    assert [dict(one.cas) for one in found.sites] == [{"ca.pem": b"a"}, {"other-ca.pem": b"b"}]


def test_what_certbot_writes_is_one_site() -> None:
    found = adopted(
        site(PASS, "include /etc/letsencrypt/options-ssl-nginx.conf;", listen=TLS)
        + site("if ($host = wx.a.edu.cn) { return 301 https://$host$request_uri; }", "return 404;")
        + "server { listen 80 default_server; server_name _; return 444; }"
    )
    assert [(one.entry["domain"], one.entry["edge"]) for one in found.sites] == [("wx.a.edu.cn", "tls")]
    assert [block.outcome for block in found.blocks] == ["different", "adopted", "left"]


def test_a_block_without_a_name_belongs_to_the_only_name_there_is() -> None:
    found = adopted(SITE + "server { listen 9001; location / { proxy_pass https://open.17wanxiao.com; } }")
    assert [one.entry["platform"] for one in found.sites] == ["wanxiao_prod"]
    two = adopted(SITE + site(PASS, name="b.a.edu.cn") + "server { listen 9001; " + PASS + " }")
    assert two.blocks[2].outcome == "left"


def test_the_second_of_a_name_and_port_is_passed_over_as_nginx_does() -> None:
    found = adopted(site(PASS) + site("root /srv;"))
    assert [block.outcome for block in found.blocks] == ["different", "left"]
    assert "nginx passes it over" in told(found)


def test_a_longer_wait_makes_a_copy_of_a_known_platform() -> None:
    nine = site("location / { proxy_pass https://open.17wanxiao.com; }", listen="9001")
    found = adopted(SITE.replace("location", "proxy_read_timeout 300; location") + nine)
    assert found.sites[0].entry["platform"] == "wanxiao_prod_300s"
    assert found.platforms["wanxiao_prod_300s"] == {**KNOWN["wanxiao_prod"], "read_timeout": 300}


def test_a_balancer_of_layer_4_becomes_a_key_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    put(
        "old.conf",
        site("set_real_ip_from 10.0.0.0/24; real_ip_header proxy_protocol;", PASS, listen="443 ssl proxy_protocol"),
    )
    assert run("old.conf", "--out", "new").exit_code == 0
    monkeypatch.chdir("new")
    (host,) = loading.load("inventory/prod.py", certificates=False).hosts
    assert host.proxy_protocol == ("10.0.0.0/24",)


def test_an_authority_of_ones_own_is_taken_along(monkeypatch: pytest.MonkeyPatch) -> None:
    put("old/ca.pem", LEAF.pem)
    put(
        "old/nginx.conf",
        site(
            "location / { proxy_pass https://a.inner.cn; proxy_ssl_trusted_certificate ca.pem; proxy_ssl_verify on; }"
        ),
    )
    assert run("old", "--out", "new").exit_code == 0
    assert Path("new/files/ca/ca.pem").read_bytes() == LEAF.pem
    assert '"ca": "files/ca/ca.pem"' in Path("new/group_data/all.py").read_text()


def test_a_site_with_pages_of_its_own_is_left_alone_where_they_can_be_seen() -> None:
    put("old/html/WW_verify_AbCdEfGh12345678.txt", "AbCdEfGh12345678")
    text = site("location / { root html; index index.html; }", "location /b/ { proxy_pass http://10.0.0.8; }")
    found = adopted(text)
    assert dict(found.sites[0].verify) == {"WW_verify_AbCdEfGh12345678.txt": b"AbCdEfGh12345678"}
    put("old/html/news.html", "x")
    assert "files of the host are served from html: news.html" in told(adopted(text))


# what it fetches


PRINTED = """# configuration file /etc/nginx/nginx.conf:
http {
    server {
        listen 443 ssl;
        server_name wx.a.edu.cn;
        ssl_certificate ssl/wx.pem;
        ssl_certificate_key /data/wx.key;
        location = /WW_verify_AbCdEfGh12345678.txt { alias /data/verify/WW_verify_AbCdEfGh12345678.txt; }
        location /b/ { proxy_pass http://10.0.0.8; }
        location / { root /data/web; }
    }
}
"""
ON_HOST = {
    "etc/nginx/ssl/wx.pem": CHAIN,
    "data/wx.key": LEAF.key_pem,
    "data/verify/WW_verify_AbCdEfGh12345678.txt": b"AbCdEfGh12345678\n",
    "data/web/MP_verify_AbCdEfGh12345678.txt": b"AbCdEfGh12345678",
}


def test_what_a_configuration_names_is_asked_of_its_host() -> None:
    files, folders = fetched.named(PRINTED.encode())
    assert files == ["/etc/nginx/ssl/wx.pem", "/data/wx.key", "/data/verify/WW_verify_AbCdEfGh12345678.txt"]
    assert folders == ["/data/web"]
    assert fetched.named(b"nginx: command not found") == ([], [])


def _from_host(monkeypatch: pytest.MonkeyPatch, answer: Handwritten) -> Result:
    put("inventory/prod.py", 'old = [("192.0.2.8", {"sites": []})]\n')
    put("group_data/all.py", "platforms = {}\n")
    monkeypatch.setattr("gateway.deploys.handwritten.fetch", lambda fleet, named: [answer])
    return run("inventory/prod.py", "--from", "192.0.2.8", "--out", "new")


def test_what_was_fetched_of_a_host_is_taken_along(monkeypatch: pytest.MonkeyPatch) -> None:
    done = _from_host(monkeypatch, Handwritten(PRINTED.encode(), ON_HOST, ("/data/web/index.html",)))
    assert done.exit_code == 0, done.output
    assert '"192.0.2.8",' in Path("new/inventory/prod.py").read_text()
    assert sorted(path.name for path in Path("new/files/verify").rglob("*.txt")) == [
        "MP_verify_AbCdEfGh12345678.txt",
        "WW_verify_AbCdEfGh12345678.txt",
    ]
    assert Path(f"new/files/certs/{DOMAIN}/privkey.pem").exists()
    assert "write the host's address" not in done.output


def test_pages_beside_verification_files_are_seen_on_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    done = _from_host(monkeypatch, Handwritten(PRINTED.encode(), ON_HOST, ("/data/web/news.html",)))
    assert "files of the host are served from /data/web: news.html" in done.output


@pytest.mark.parametrize(
    "answer", [Handwritten(problem="unreachable: timed out"), Handwritten(b"nothing of nginx", {}, ())]
)
def test_a_host_that_says_nothing_is_told(monkeypatch: pytest.MonkeyPatch, answer: Handwritten) -> None:
    done = _from_host(monkeypatch, answer)
    assert done.exit_code == 1
    assert done.output.count("\n") == 1
    assert not Path("new").exists()


def test_a_gateway_that_is_deployed_already_is_not_adopted() -> None:
    files = source.printed(f"# configuration file /etc/nginx/wecom-gateway/current/sites/a.conf:\n{SITE}")
    found = adopting.adopt(reading.read(files), files)
    assert [block.outcome for block in found.blocks] == ["left"]
    assert "is of a gateway that is deployed already" in told(found)
