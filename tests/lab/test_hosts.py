"""hosts says what a host is before anybody deploys to it, and leaves the host as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

import lab
from gateway.onhost import scripts
from lab import hosts, kinds

from ..conftest import REPO
from . import checkout as own
from . import judge
from .checkout import SLB, TLS, Checkout, run_product

BARE, PANEL = "t46", "t47"
THEIRS = """
rm -f /etc/nginx/sites-enabled/default
cat >/etc/nginx/sites-enabled/school <<'X'
server {
    listen 80;
    server_name www.school.example school.example;
    location / { default_type text/plain; return 200 "the school's own\\n"; }
}
X
systemctl restart nginx
"""
PANELS = "/www/server/nginx/sbin/nginx"
# What a school's own configuration names, all over the host.
HANDWRITTEN = """
mkdir -p /data/verify /data/web /etc/nginx/ssl
printf AbCdEfGh12345678 >/data/verify/WW_verify_AbCdEfGh12345678.txt
printf AbCdEfGh12345678 >/data/web/MP_verify_AbCdEfGh12345678.txt
openssl req -x509 -newkey rsa:2048 -nodes -keyout /etc/nginx/ssl/wx.key -out /etc/nginx/ssl/wx.pem -days 90 \\
    -subj /CN=wx.school.example -addext subjectAltName=DNS:wx.school.example 2>/dev/null
cat >/etc/nginx/sites-enabled/handwritten <<'X'
server {
    listen 8443 ssl;
    server_name wx.school.example;
    ssl_certificate ssl/wx.pem;
    ssl_certificate_key ssl/wx.key;
    location = /WW_verify_AbCdEfGh12345678.txt { alias /data/verify/WW_verify_AbCdEfGh12345678.txt; }
    location /bserver { proxy_pass https://api.17wanxiao.com/b-server/; }
    location / { root /data/web; }
}
X
"""
# A second one beside it, of a build from source.
SECOND = """
tar -xzf /opt/lab/source.tar.gz -C /
sed -i 's/listen  *80;/listen 8080;/; s/server_name  localhost/server_name other.example/' \\
    /usr/local/nginx/conf/nginx.conf
/usr/local/nginx/sbin/nginx
"""
# Files and folders that are newer than the stamp, but for what logging in leaves in logs.
_NEWER = (
    "find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path '/var/log*' \\)"
    " -prune -o -newer /run/stamp -print"
)


@pytest.fixture(scope="module")
def there() -> Iterator[None]:
    """A host that has never seen nginx, and one with the nginx of a panel."""
    hosts.remove([BARE, PANEL])
    lab.up([BARE, PANEL], basis="stocked")
    kinds.prepare(PANEL, "panel")
    yield
    hosts.remove([BARE, PANEL])


@pytest.fixture
def mine(there, tmp_path) -> Checkout:
    return Checkout.make(tmp_path, BARE)


def _ask(mine: Checkout, expected: int, *options: str) -> dict:
    """What hosts says of the one host of the inventory, which has to be afterwards what it was before."""
    (name,) = [name for name in (BARE, PANEL) if f"'{name}'" in (mine.path / "inventory/own.py").read_text()]
    own.on_host(name, "touch /run/stamp; sleep 1")
    before = judge.look(name)
    done = mine.run("python", "-m", "gateway", "hosts", "inventory/own.py", "--json", *options)
    assert judge.changes(before, judge.look(name)) == ""
    assert own.on_host(name, _NEWER) == ""
    assert done.returncode == expected, done.stdout + done.stderr
    (one,) = json.loads(done.stdout)["hosts"]
    return one


def test_a_bare_host_and_then_one_with_debian_s_nginx_and_the_school_s_own_site(mine):
    mine.write_sites(SLB)
    one = _ask(mine, 0)
    assert one["system"] == "Debian GNU/Linux 12 (bookworm)"
    assert (one["nginx"], one["would_install"], one["sites"]) == (None, "1.22.1", [])
    assert {"name": "sshd", "unit": "ssh.service", "listens": ["*:22"]} in one["programs"]

    own.on_host(BARE, f"DEBIAN_FRONTEND=noninteractive apt-get -qq install -y nginx >/dev/null\n{THEIRS}")
    one = _ask(mine, 0)
    nginx = one["nginx"]
    assert (nginx["version"], nginx["tls"].split(".")[0], nginx["runs"]) == ("1.22.1", "OpenSSL 3", "nginx.service")
    assert nginx["source"].startswith("package nginx 1.22.1-9+deb12u")
    assert nginx["modules"] == ["ssl", "http2", "realip", "stream (dynamic)", "ssl_preread"]
    file = "/etc/nginx/sites-enabled/school"
    (site,) = one["sites"]
    assert (site["names"], site["listens"], site["file"]) == (["www.school.example", "school.example"], ["80"], file)
    # nginx is no neighbour of itself
    assert "nginx" not in {program["name"] for program in one["programs"]}

    mine.deploy_well()
    after = _ask(mine, 0)
    assert after["release"]
    assert after["sites"] == one["sites"], "the gateway's own sites are nobody else's"


def test_a_hand_written_nginx_is_fetched_with_all_that_it_names(mine):
    own.on_host(BARE, HANDWRITTEN)
    mine.write_sites()
    source = ("--from", BARE, str(mine.path / "inventory/own.py"))
    done = run_product(REPO, "adopt", *source, "--out", str(mine.path / "new"), "--json")
    own.on_host(BARE, "rm /etc/nginx/sites-enabled/handwritten")
    assert done.returncode == 0, done.stdout + done.stderr
    adopted = json.loads(done.stdout)
    assert [(site["domain"], site["edge"]) for site in adopted["sites"]] == [("wx.school.example", "tls")]
    files = mine.path / "new/files"
    assert {path.name for path in (files / "verify/wx.school.example").iterdir()} == {
        "WW_verify_AbCdEfGh12345678.txt",
        "MP_verify_AbCdEfGh12345678.txt",
    }
    pair = files / "certs/wx.school.example"
    assert (pair / "fullchain.pem").read_text().strip() == own.on_host(BARE, "cat /etc/nginx/ssl/wx.pem").strip()
    assert (pair / "privkey.pem").stat().st_mode & 0o777 == 0o600
    left = {name for block in adopted["blocks"] if block["outcome"] == "left" for name in block["names"]}
    assert {"www.school.example", "school.example"} <= left, "of their own, and of a gateway that is there already"


def test_a_panel_s_nginx_is_told_with_its_sites_and_what_it_was_built_without(mine):
    mine.write_hosts({PANEL: [SLB]})
    one = _ask(mine, 0)
    nginx = one["nginx"]
    assert (nginx["program"], nginx["version"], nginx["runs"]) == (PANELS, "1.22.1", "nginx.service")
    assert "panel" in nginx["source"]
    assert "realip" in nginx["without"]
    assert [(site["names"], site["listens"], site["file"]) for site in one["sites"]] == [
        (["phpmyadmin"], ["888"], "/www/server/nginx/conf/nginx.conf"),
        (["theirs.example"], ["80"], "/www/server/panel/vhost/nginx/theirs.example.conf"),
    ]
    mine.write_hosts({PANEL: [{**SLB, "slb_cidrs": ["10.0.0.0/24"]}]})
    _refused(mine, _ask(mine, 2), "slb_cidrs needs --with-http_realip_module, which this nginx was built without")


def test_of_several_nginx_none_is_taken(mine):
    """Whoever stops one of them says which. Asked for all there is, each tells its own sites; deploys do not ask."""

    def keys(*arguments: str) -> set[str]:
        output = hosts.exec_in(PANEL, ["bash", "-c", scripts.text("state"), "wecom-gateway", *arguments])
        return {line.partition(" ")[0] for line in output.splitlines()}

    own.on_host(PANEL, SECOND)
    assert keys("whole") - keys() == {f"dump:{PANELS}", "dump:/usr/local/nginx/sbin/nginx"}
    mine.write_hosts({PANEL: [SLB]})
    one = _ask(mine, 2)
    assert one["nginx"] is None
    assert {nginx["program"] for nginx in one["other_nginx"]} == {PANELS, "/usr/local/nginx/sbin/nginx"}
    assert ("other.example", "8080") in {(site["names"][0], site["listens"][0]) for site in one["sites"]}
    _refused(mine, one, "several nginx run on this host")


def _refused(mine: Checkout, one: dict, words: str) -> None:
    """A deploy says what `hosts` did."""
    refused = mine.deploy()
    assert refused.returncode == 1
    (text,) = one["in_the_way"]
    assert words in text
    assert text in refused.stdout + refused.stderr


def test_a_host_without_sudo_is_told_in_the_words_of_status(mine):
    mine.write_hosts({BARE: [SLB]}, _sudo=False)
    _, report = mine.status()
    assert _ask(mine, 2)["problem"] == report["hosts"][0]["problem"]


def test_a_new_machine_is_read_before_its_certificates_are_there(mine):
    mine.write_hosts({PANEL: [TLS]})
    one = _ask(mine, 2)
    assert one["other_nginx"]
    done = mine.run("python", "-m", "gateway", "hosts", "inventory/own.py")
    assert f"warning: {PANEL}: {TLS['domain']}: cert: " in done.stderr
    assert "  site: theirs.example on 80 in /www/server/panel/vhost/nginx/theirs.example.conf\n" in done.stdout
