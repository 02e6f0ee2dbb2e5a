"""`adopt`: what it reads, writes and fetches."""

from __future__ import annotations

import json
import os
import random
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gateway.adopt import adopting, fetched, reading, source
from gateway.certificates import pem
from gateway.deploys.handwritten import Handwritten
from gateway.fleet import loading
from gateway.problems import errors
from tests.conftest import REPO

from .adopting import PASS, SITE, adopted, here, put, run, site, told
from .importing import CHAIN, DOMAIN, LEAF

__all__ = ["here"]


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
    assert not list(Path("new/files/certs").glob("*/*"))


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
    monkeypatch.setattr("gateway.deploys.handwritten.fetch", lambda fleet, named, progress: [answer])
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
