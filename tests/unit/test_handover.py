"""Handover sheets: what they state follows from the inventory, and what it does not say is a marked blank."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.main import main
from gateway.handover.sheet import BLANK_START

from .conftest import REPO
from .forked import gateway

WECOM = {
    "corp_id": "ww1234567890abcdef",
    "agent_id": 1000002,
    "flag": "weixinqy_test_1121",
    "trusted_ips": ["120.27.208.144", "120.27.208.145"],
}
SLB = {"domain": "wx.a.edu.cn", "edge": "slb", "wecom": WECOM}
BK = {"upstream": "https://paas.inner.example", "apps": ["itsm"], "envs": ["t", "o"]}


@pytest.fixture
def handover(tmp_path, monkeypatch):
    """Runs the command on groups of (host, data) pairs: the result, and the folder of sheets."""
    monkeypatch.chdir(REPO)
    out = tmp_path / "sheets"

    def run(*arguments: str, **groups: object):
        # pyinfra keeps compiled inventories by name for the length of a process
        inventory = tmp_path / f"inventory{len(list(tmp_path.iterdir()))}.py"
        inventory.write_text("".join(f"{name} = {hosts!r}\n" for name, hosts in groups.items()))
        return CliRunner().invoke(main, ["handover", str(inventory), "--out", str(out), *arguments]), out

    return run


def both(out: Path, domain: str) -> list[str]:
    """A sheet's two files; HTML entities undone."""

    class Text(HTMLParser):
        def __init__(self):
            super().__init__()
            self.text = ""

        def handle_data(self, data):
            self.text += data

    page = Text()
    page.feed((out / f"{domain}.html").read_text())
    return [(out / f"{domain}.md").read_text(), page.text]


@pytest.mark.parametrize(
    ("group", "url"),
    [
        ("wanxiao_prod", "https://wx.a.edu.cn/bsacs/qyweixin.action"),
        ("wanxiao_test", "https://wx.a.edu.cn/bserver/bsacs/qyweixin.action"),
    ],
)
def test_the_home_url_is_the_entry_path_and_the_platforms_own(handover, group, url):
    result, out = handover(**{group: [("h1", {"sites": [SLB]})]})
    assert result.exit_code == 0, result.output
    for text in both(out, "wx.a.edu.cn"):
        assert f"{url}?flag=weixinqy_test_1121&paytype=qyweixin&ecardFunc=index" in text


def test_a_full_entry_leaves_no_blank_but_what_only_others_know(handover):
    _, out = handover(wanxiao_prod=[("h1", {"sites": [SLB]})])
    for text in both(out, "wx.a.edu.cn"):
        for value in ("ww1234567890abcdef", "1000002", "120.27.208.144;120.27.208.145"):
            assert value in text
        for listener in ("https 443 → http 80", "https 9001 → http 9001"):
            assert listener in text
        blanks = {part.partition("】")[0] for part in text.split(BLANK_START)[1:]}
        assert blanks == {"SLB 公网地址 public address", "WW_verify_….txt"}


def test_every_server_that_the_hosts_must_reach_is_named(handover):
    """One that a firewall closes off is a site that answers 502."""
    _, out = handover(wanxiao_prod=[("h1", {"sites": [SLB]})])
    for text in both(out, "wx.a.edu.cn"):
        assert "hub.17wanxiao.com:443" in text
        assert "open.17wanxiao.com:443" in text


def test_missing_values_are_blanks_and_one_warning(handover):
    result, out = handover(wanxiao_prod=[("h1", {"sites": [{"domain": "wx.a.edu.cn", "edge": "slb"}]})])
    assert result.exit_code == 0
    text = "warning: h1: wx.a.edu.cn: wecom: corp_id, agent_id, flag, trusted_ips missing; left blank in the sheet"
    assert text in result.stderr.splitlines()
    assert f"?flag={BLANK_START}flag】&paytype" in both(out, "wx.a.edu.cn")[0]
    assert "<mark>" in (out / "wx.a.edu.cn.html").read_text()


def test_blueking_names_the_five_variables_and_never_a_secret(handover):
    site = {"domain": "itsm.a.edu.cn", "edge": "slb", "bk": BK, "wecom": {"corp_id": "ww1234567890abcdef"}}
    result, out = handover(bkitsm=[("h1", {"sites": [site]})])
    assert result.exit_code == 0, result.output
    markdown, html = both(out, "itsm.a.edu.cn")
    for name, value in (
        ("BKAPP_IS_QY_WEIXIN", "1"),
        ("BKAPP_USE_WEIXIN", "1"),
        ("BKAPP_WEIXIN_APP_ID", "ww1234567890abcdef"),
        ("BKAPP_WEIXIN_APP_SECRET", "<WECOM_APP_SECRET>"),
        ("BKAPP_WEIXIN_APP_EXTERNAL_HOST", "itsm.a.edu.cn"),
    ):
        assert f"- {name}\n  - `{value}`\n" in markdown
        assert re.search(rf"{name}\s+{value}\s", html)
    for text in (markdown, html):
        # production first, and all that must be reachable
        assert text.index("https://itsm.a.edu.cn/o/itsm/weixin/") < text.index("https://itsm.a.edu.cn/t/itsm/weixin/")
        for path in ("/o/itsm/static/weixin/", "qyapi.weixin.qq.com:443", "api.weixin.qq.com:443"):
            assert path in text
    assert "9001" not in markdown.partition("## B.")[0]


def test_an_app_under_another_path_is_told_which(handover):
    site = {"domain": "mon.a.edu.cn", "edge": "slb", "wecom": WECOM}
    result, out = handover(bkmonitor=[("h1", {"sites": [site]})])
    assert result.exit_code == 0, result.output
    for name, value in (
        ("BKAPP_WEIXIN_APP_EXTERNAL_HOST", "mon.a.edu.cn"),
        ("BKAPP_WEIXIN_SITE_URL", "/bkmonitor/"),
        ("BKAPP_WEIXIN_STATIC_URL", "/bkmonitor/static/"),
        ("BKAPP_WEIXIN_APP_EXTERNAL_SCHEME", "https"),
        ("BKAPP_WEIXIN_AGENT_ID", "1000002"),
    ):
        assert f"- {name}\n  - `{value}`\n" in both(out, "mon.a.edu.cn")[0]


@pytest.mark.parametrize("group", ["bkitsm_v3", "bkitsm_v3_name", "bksops"])
def test_an_app_under_its_own_path_is_told_none(handover, group):
    result, out = handover(**{group: [("h1", {"sites": [SLB]})]})
    assert result.exit_code == 0, result.output
    sheet = both(out, "wx.a.edu.cn")[0]
    assert "BKAPP_WEIXIN_APP_EXTERNAL_HOST" in sheet
    assert "BKAPP_WEIXIN_SITE_URL" not in sheet


def test_the_steps_are_numbered_as_in_the_platforms_own_document(handover):
    _, out = handover(wanxiao_prod=[("h1", {"sites": [SLB]})])
    markdown = both(out, "wx.a.edu.cn")[0].partition("## B.")[2]
    numbers = [line.split()[1] for line in markdown.splitlines() if line.startswith("### ")]
    assert numbers == ["1", "2", "3", "3a", "4", "4a", "4b", "5", "6"]
    for number, what in (
        ("1", "创建应用"),
        ("2", "可见范围"),
        ("3", "AgentId"),
        ("4", "可信域名"),
        ("5", "企业可信IP"),
    ):
        assert what in markdown.partition(f"### {number} ")[2].partition("\n### ")[0]


def test_verification_files_are_named_by_their_urls(handover, monkeypatch, tmp_path):
    checkout = tmp_path / "checkout"
    (checkout / "files/verify/wx.a.edu.cn").mkdir(parents=True)
    (checkout / "group_data").symlink_to(REPO / "group_data")
    (checkout / "files/verify/wx.a.edu.cn/WW_verify_54wuPnLpuTWkAF0Z.txt").write_text("54wuPnLpuTWkAF0Z")
    monkeypatch.chdir(checkout)
    _, out = handover(wanxiao_prod=[("h1", {"sites": [SLB]})])
    assert all("https://wx.a.edu.cn/WW_verify_54wuPnLpuTWkAF0Z.txt" in text for text in both(out, "wx.a.edu.cn"))


def test_two_nodes_are_one_sheet_with_both_and_share_what_one_entry_says(handover):
    bare = {"domain": "wx.a.edu.cn", "edge": "slb"}
    hosts = [("n1", {"sites": [bare], "ssh_hostname": "10.0.0.11"}), ("n2", {"sites": [SLB]})]
    result, out = handover(wanxiao_prod=hosts)
    assert result.exit_code == 0
    assert "wecom" not in result.stderr
    assert sorted(path.name for path in out.iterdir()) == ["index.html", "wx.a.edu.cn.html", "wx.a.edu.cn.md"]
    text = both(out, "wx.a.edu.cn")[0]
    assert "n1 (10.0.0.11)" in text
    assert "n2" in text
    assert "weixinqy_test_1121" in text


def test_without_a_load_balancer_public_addresses_become_records_and_inner_ones_blanks(handover):
    site = {"domain": "wx.a.edu.cn", "edge": "tls"}
    hosts = [("203.0.113.7", {"sites": [site]}), ("gw2", {"sites": [site], "ssh_hostname": "10.0.0.5"})]
    # no certificate is there: a sheet needs none, on the contrary it asks for one
    result, out = handover(wanxiao_prod=hosts)
    assert result.exit_code == 0, result.output
    text = both(out, "wx.a.edu.cn")[0]
    assert "wx.a.edu.cn. A 203.0.113.7" in text
    assert f"wx.a.edu.cn. A {BLANK_START}gw2 (10.0.0.5)" in text
    assert all(port in text for port in ("`http 80`", "`https 443`", "`https 9001`"))


def test_a_load_balancer_of_layer_4_is_told_what_to_set(handover):
    acme = {"domain": "wx.c.edu.cn", "edge": "tls", "cert": {"acme": {"email": "ops@c.edu.cn"}}}
    sites = [{"domain": "wx.a.edu.cn", "edge": "tls"}, acme]
    hosts = [
        ("203.0.113.7", {"proxy_protocol": ["10.0.0.0/24"], "sites": sites}),
        ("203.0.113.8", {"proxy_protocol": ["10.0.1.0/24", "10.0.0.0/24"], "sites": sites[:1]}),
    ]
    result, out = handover(wanxiao_prod=hosts)
    assert result.exit_code == 0, result.output
    text = both(out, "wx.a.edu.cn")[0]
    for listener in ("`TCP 80 → 80`", "`TCP 443 → 443, PROXY`", "`TCP 9001 → 9001, PROXY`"):
        assert listener in text
    assert f"wx.a.edu.cn. A / CNAME {BLANK_START}SLB" in text
    assert "PROXY protocol on, version 1 or 2" in text
    assert "Check health by TCP" in text
    assert all(network in text for network in ("`10.0.0.0/24`", "`10.0.1.0/24`"))
    # the certificate stays on the hosts
    assert "Never send a key" in text
    assert "the domain must point to the load balancer" in both(out, "wx.c.edu.cn")[0]


def test_who_may_use_a_site_is_said_at_a_glance(handover):
    sites = [{**SLB, "slb_cidrs": ["10.0.0.0/24"], "allow": ["198.51.100.0/24"]}, {**SLB, "domain": "wx.b.edu.cn"}]
    result, out = handover(wanxiao_prod=[("203.0.113.7", {"sites": sites})])
    assert result.exit_code == 0, result.output
    assert "`198.51.100.0/24`" in both(out, "wx.a.edu.cn")[0]
    assert "get 403" not in both(out, "wx.b.edu.cn")[0]


def test_where_an_app_can_be_opened_is_said_where_it_is_tried(handover):
    bk = {"domain": "itsm.a.edu.cn", "edge": "slb", "bk": BK, "platform": "bkitsm"}
    sites = [SLB, bk]
    for allow, times in ([], 0), (["198.51.100.0/24"], 1):
        closed = [{**one, "slb_cidrs": ["10.0.0.0/24"], "allow": allow} for one in sites]
        result, out = handover(wanxiao_prod=[("203.0.113.7", {"sites": closed})])
        assert result.exit_code == 0, result.output
        for domain in ("wx.a.edu.cn", "itsm.a.edu.cn"):
            last = both(out, domain)[0].rpartition("\n### ")[2]
            assert last.count("not by mobile data") == times
            assert last.count("`198.51.100.0/24`") == times


def test_a_platform_that_knows_no_flag_is_not_asked_for_one(handover):
    own = {**SLB, "platform": "own_app"}
    result, out = handover(wanxiao_prod=[("h1", {"sites": [own, {**SLB, "domain": "wx.b.edu.cn"}]})])
    assert result.exit_code == 0, result.output
    for text in both(out, "wx.a.edu.cn"):
        for word in ("flag", "9001", "平台方", "platform;", "to the platform"):
            assert word not in text
        assert "Secret travels by itself" in text
    for text in both(out, "wx.b.edu.cn"):
        for word in ("flag", "9001 等带端口的地址", "such as 9001", "to the platform"):
            assert word in text


def test_another_port_of_a_site_is_the_one_that_is_named(handover):
    rows = [{"port": port, "path": "/", "upstream": "https://a.example/"} for port in ("entry", 8443)]
    host = {"sites": [{**SLB, "platform": "own"}], "platforms": {"own": {"routes": rows}}}
    _, out = handover(wanxiao_prod=[("h1", host)])
    text = both(out, "wx.a.edu.cn")[0]
    assert "such as 8443" in text
    assert "9001" not in text


@pytest.mark.parametrize(
    ("group", "named"), [("bkitsm_v3", True), ("bkitsm_v3_name", True), ("bkmonitor", False), ("bksops", False)]
)
def test_a_ticket_is_submitted_where_tickets_are(handover, group, named):
    _, out = handover(**{group: [("h1", {"sites": [SLB]})]})
    for text in both(out, "wx.a.edu.cn"):
        assert ("submit a ticket" in text) == ("提单" in text) == named


def test_a_host_that_gets_its_certificate_itself_is_handed_none(handover):
    site = {"domain": "wx.b.edu.cn", "edge": "tls", "cert": {"acme": {"email": "ops@b.edu.cn"}}, "wecom": WECOM}
    done, out = handover(wanxiao_prod=[("203.0.113.11", {"sites": [site]})])
    assert done.exit_code == 0, done.output
    for text in both(out, "wx.b.edu.cn"):
        assert "there is no key to hand over" in text
        assert "Never send a key" not in text


def test_a_sheet_needs_no_file_of_an_authority(handover):
    row = {"port": "entry", "path": "/", "upstream": "https://a.example/", "ca": "files/ca/not-there.pem"}
    host = {"sites": [{**SLB, "platform": "own"}], "platforms": {"own": {"routes": [row]}}}
    result, out = handover(wanxiao_prod=[("h1", host)])
    assert result.exit_code == 0, result.output
    assert (out / "wx.a.edu.cn.md").exists()


def test_errors_in_the_inventory_refuse_and_write_nothing(handover):
    result, out = handover(wanxiao_prod=[("h1", {"sites": [{**SLB, "edge": "SLB"}]})])
    assert result.exit_code == 1
    assert "h1: wx.a.edu.cn: edge: " in result.stderr
    assert not out.exists()


def test_what_the_inventory_warns_of_is_told_with_the_sheets(handover):
    other = {**SLB, "wecom": {**WECOM, "flag": "another"}}
    result, _ = handover(wanxiao_prod=[("h1", {"sites": [SLB], "ssh_prot": 22}), ("h2", {"sites": [other]})])
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines() == [
        'warning: h1: ssh_prot: is read by nobody; did you mean "ssh_port"? [WG1004]',
        "warning: h2: wx.a.edu.cn: wecom.flag: differs from the same site's on h1; write the same in both [WG1014]",
        # the sheet's own words for what the inventory warns of as well
        "warning: h1: wx.a.edu.cn: verify: no verification file in files/verify/wx.a.edu.cn/ yet; "
        "left blank in the sheet",
    ]
    assert "differs" not in result.stdout


def test_old_sheets_are_overwritten_and_foreign_files_stay(handover):
    _, out = handover(wanxiao_prod=[("h1", {"sites": [SLB]})])
    (out / "notes.txt").write_text("mine")
    (out / "index.html").write_text("my own page")
    (out / "wx.a.edu.cn.md").write_text("old")
    result, _ = handover(wanxiao_prod=[("h1", {"sites": [SLB]})])
    assert result.exit_code == 0
    assert "is another page and stays" in result.stderr
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "index.html").read_text() == "my own page"
    assert (out / "wx.a.edu.cn.md").read_text() != "old"
    assert not [path for path in out.iterdir() if path.name.endswith(".part")]


def test_limit_writes_those_sheets_and_keeps_the_index(handover):
    groups = {"wanxiao_prod": [("h1", {"sites": [SLB]}), ("h2", {"sites": [{**SLB, "domain": "wx.b.edu.cn"}]})]}
    _, out = handover(**groups)
    before = (out / "index.html").read_text()
    (out / "wx.b.edu.cn.md").unlink()
    result, _ = handover("--limit", "h1", **groups)
    assert result.exit_code == 0
    assert (out / "index.html").read_text() == before
    assert not (out / "wx.b.edu.cn.md").exists()


@pytest.mark.parametrize("blocked", ["is a file", "holds a folder of a sheet's name"])
def test_a_folder_that_cannot_be_written_is_one_line(handover, blocked):
    groups = {"wanxiao_prod": [("h1", {"sites": [SLB]})]}
    _, out = handover(**groups)
    if blocked == "is a file":
        for path in out.iterdir():
            path.unlink()
        out.rmdir()
        out.write_text("a file")
    else:
        (out / "wx.a.edu.cn.md").unlink()
        (out / "wx.a.edu.cn.md").mkdir()
    result, _ = handover(**groups)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: --out {out}: cannot be written: ")


def test_names_from_the_inventory_cannot_become_markup(handover):
    data = {"ssh_hostname": "203.0.113.10", "sites": [SLB]}
    result, out = handover(wanxiao_prod=[("<script>alert(1)</script>`x`", data)])
    assert result.exit_code == 0, result.output
    assert "<script" not in (out / "wx.a.edu.cn.html").read_text()
    assert "`` <script>alert(1)</script>`x` (203.0.113.10) ``" in (out / "wx.a.edu.cn.md").read_text()


def test_a_page_needs_nothing_but_itself(handover):
    _, out = handover(wanxiao_prod=[("h1", {"sites": [SLB]})])
    for path in out.glob("*.html"):
        text = path.read_text()
        assert 'name="viewport"' in text
        assert "@media print" in text
        assert not any(part in text for part in ("<script", "<link", "<img", "src=", "@import", "url("))


def test_json_names_files_and_problems(handover):
    result, out = handover("--json", wanxiao_prod=[("h1", {"sites": [SLB]})])
    report = json.loads(result.stdout)
    files = [str(out / "wx.a.edu.cn.md"), str(out / "wx.a.edu.cn.html")]
    assert report["sheets"] == [{"domain": "wx.a.edu.cn", "hosts": ["h1"], "files": files}]
    assert [problem["field"] for problem in report["problems"]] == ["verify"]


def test_the_shipped_inventory_gives_its_sheets(tmp_path):
    done = gateway("handover", "inventory/prod.py", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"4 sheets in {tmp_path}"


def test_a_hundred_sites_are_a_summary(handover):
    sites = [{"domain": f"s{number:04}.edu.cn", "edge": "slb"} for number in range(100)]
    result, out = handover(wanxiao_prod=[("h1", {"sites": sites})])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == str(out / "s0000.edu.cn.md")
    assert lines[-2:] == ["and 95 more sheets", f"100 sheets in {out}"]
    assert len(lines) == 12
    told = result.stderr.splitlines()
    assert len(told) == 21
    assert re.fullmatch(r"warning: and \d+ more; --json has them all", told[-1])
    result, _ = handover("--json", wanxiao_prod=[("h1", {"sites": sites})])
    report = json.loads(result.stdout)
    assert len(report["sheets"]) == 100
    assert len(report["problems"]) > 90


def test_errors_are_told_in_full(handover):
    sites = [{"domain": f"s{number}.edu.cn", "edge": "slb", "flag": "x"} for number in range(40)]
    result, _ = handover(wanxiao_prod=[("h1", {"sites": sites})])
    assert result.exit_code == 1
    assert len([line for line in result.stderr.splitlines() if line.startswith("error: ")]) == 40
