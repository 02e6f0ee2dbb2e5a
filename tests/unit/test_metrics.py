"""Metrics in the inventory and in a release. That what Prometheus reads is right is proven on hosts."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gateway import product
from gateway.deploys import health
from gateway.deploys.guards import Guards, refusals
from gateway.deploys.objections import objections
from gateway.deploys.state import HostState, missing_packages
from gateway.deploys.surroundings import Listener, Surroundings
from gateway.fleet.parsing import parse_host
from gateway.nginx.build import Build
from gateway.nginx.layout import Layout
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree
from gateway.onhost import constants
from tests.platforms import PLATFORMS

SITE = {"domain": "wx.school.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}
METRICS = {"listen": "10.0.0.5:9145", "allow": ["10.0.0.0/24"]}
EGRESS = {"listen": "10.0.0.5:443", "allow": ["10.0.0.0/24"]}
BUILD = Build(Version((1, 22, 1)))
FINE = HostState(installed=Version((1, 22, 1)), built=frozenset({"--with-http_stub_status_module"}))


def _texts(release) -> dict[str, str]:
    return {path: file.body.decode() for path, file in release.items() if not path.endswith(".pem")}


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ("10.0.0.5:9145", 'metrics: is not a dict; right would be {"listen": "10.0.0.5:9145"'),
        ({"listen": "10.0.0.5:9145"}, "metrics.allow: missing"),
        ({**METRICS, "allowed": []}, 'did you mean "allow"?'),
        ({**METRICS, "listen": "0.0.0.0:9145"}, "metrics.listen: "),
        ({**METRICS, "listen": "10.0.0.5:0"}, 'right would be "10.0.0.5:9145", an address of this host'),
        ({**METRICS, "listen": "fd00::5:9145"}, 'right would be "[fd00::5]:9145"'),
        ({**METRICS, "listen": "10.0.0.5"}, '"10.0.0.5" has no port; right would be "10.0.0.5:9145"'),
        ({**METRICS, "listen": "9145"}, "does not start with an IP address"),
        ({**METRICS, "listen": "10.0.0.5:80"}, "wx.school.edu.cn listens on port 80 of every address"),
        ({**METRICS, "listen": "10.0.0.5:19001"}, "is the gateway's own on this host; right would be 9145"),
        ({**METRICS, "listen": "10.0.0.5:22"}, "is SSH's on this host"),
        ({**METRICS, "listen": "10.0.0.5:443"}, "10.0.0.5:443 is egress's on this host"),
        ({**METRICS, "allow": []}, "metrics.allow: is empty"),
        ({**METRICS, "allow": "10.0.0.0/24"}, "is not a list"),
        ({**METRICS, "allow": ["0.0.0.0/0"]}, '"0.0.0.0/0" lets everybody read; name the networks of your Prometheus'),
        ({**METRICS, "allow": ["fd00::/64"]}, "no network here can reach 10.0.0.5:9145"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(parse, metrics, said):
    host, problems = parse(SITE, egress=EGRESS, metrics=metrics)
    assert host is None
    assert len(problems) == 1, problems
    assert problems[0].startswith("h1: metrics")
    assert said in problems[0]


@pytest.mark.parametrize(
    ("listen", "allow", "said"),
    [
        ("10.0.0.5:9145", ["127.0.0.1"], "nobody reaches 10.0.0.5 from a loopback address"),
        ("[fd00::5]:9145", ["::1", "10.0.0.0/8"], "nobody reaches fd00::5 from a loopback address"),
        ("127.0.0.1:9145", ["10.0.0.0/24"], 'for a program on it, write "127.0.0.1" here'),
        ("[::1]:9145", ["fd00::/64"], 'for a program on it, write "::1" here'),
    ],
)
def test_networks_from_which_nobody_can_ask_are_told(files, listen, allow, said):
    data = {"sites": [], "platforms": PLATFORMS, "metrics": {"listen": listen, "allow": allow}}
    host, (problem,) = parse_host("h1", data, files)
    assert host is not None
    assert (problem.field, problem.severity) == ("metrics.allow", "warning")
    assert said in problem.text


@pytest.mark.parametrize(
    ("listen", "allow"),
    [
        ("10.0.0.5:9145", ["127.0.0.1", "10.0.0.5"]),
        ("10.0.0.5:9145", ["64.0.0.0/2"]),
        ("127.0.0.1:9145", ["127.0.0.1"]),
        ("127.0.0.1:9145", ["10.0.0.0/8", "127.0.0.0/8"]),
        ("[::1]:9145", ["::1"]),
    ],
)
def test_a_prometheus_on_the_host_itself_is_right(files, listen, allow):
    data = {"sites": [], "platforms": PLATFORMS, "metrics": {"listen": listen, "allow": allow}}
    assert not parse_host("h1", data, files)[1]


def test_it_may_stand_beside_egress_on_another_port_and_on_a_host_without_sites(parse):
    assert not parse(SITE, egress=EGRESS, metrics=METRICS)[1]
    assert not parse(egress=EGRESS, metrics=METRICS)[1]


def test_a_site_with_the_key_is_told_where_it_belongs(parse):
    _, problems = parse({**SITE, "metrics": METRICS})
    assert 'it belongs to the host, beside "sites"' in problems[0]


@pytest.fixture
def trees(parse):
    """The files of a host's release, with metrics and without."""
    with_it, _ = parse(SITE, egress=EGRESS, metrics=METRICS)
    without, _ = parse(SITE, egress=EGRESS)
    return tree(with_it, BUILD), tree(without, BUILD)


def test_a_neighbour_without_it_renders_as_if_there_were_none(trees):
    """A release that changes for everybody reloads every nginx for one host's wish."""
    given, usual = trees
    units = {f"units/{constants.METRICS_UNIT.replace('service', kind)}" for kind in ("service", "timer")}
    assert given.keys() - usual.keys() == {
        *("metrics.conf", "metrics.sh", "metrics/page", "metrics/requests.mtail", "metrics/upstreams"),
        *units,
        f"units/{constants.MTAIL_UNIT}",
    }
    differing = {path for path in usual if usual[path] != given[path]}
    assert differing == {"gateway.conf", "ports", "release.conf", "snippets/server.conf"}
    assert not [path for path, text in _texts(usual).items() if "metrics" in text or "wecom_gateway_visit" in text]


def test_nobody_but_the_networks_named_may_read_it(trees):
    """Who is busy when, and with what, is nobody else's business."""
    text = trees[0]["metrics.conf"].body.decode()
    server = text[text.index("server {") :]
    assert re.findall(r"^    (?:listen|allow|deny) .*$", server, re.MULTILINE) == [
        "    listen 10.0.0.5:9145;",
        "    allow 10.0.0.0/24;",
        "    deny all;",
    ]
    assert text.count("server {") == 1
    # what answers before nginx asks who that is stands where nobody comes who was not asked
    named = re.findall(r"location (@\S+) \{\n *return ", server)
    assert server.count("return ") == len(named) == 4
    assert not re.search(r"error_page [^;]*403", server)


def test_who_really_connects_is_asked_whatever_the_hosts_own_nginx_believes(parse, trees):
    """Panels have nginx believe everybody's X-Forwarded-For; whoever names an address of `allow` in it gets no page."""
    assert "\n    set_real_ip_from unix:;\n" in trees[0]["metrics.conf"].body.decode()
    host, _ = parse(SITE, metrics=METRICS)
    without = replace(BUILD, without=frozenset({"http_realip_module"}))
    assert "real_ip" not in tree(host, without)["metrics.conf"].body.decode()


def test_the_page_has_every_part_and_each_name_once(trees):
    page = trees[0]["metrics/page"].body.decode()
    parts = re.findall(r'include virtual="(\S+)"', page)
    assert sorted(parts) == sorted(re.findall(r"location = (/part/\S+) ", trees[0]["metrics.conf"].body.decode()))
    types = re.findall(r"^# TYPE (\S+)|(?<=-->)# TYPE (\S+)", page, re.MULTILINE)
    assert len(types) == len(set(types))


def test_what_the_host_asks_itself_is_no_visit(trees):
    """A thousand sites ask themselves a thousand times a minute; schools' figures and logs are of visitors."""
    snippet = trees[0]["snippets/server.conf"].body.decode()
    logs = [line for line in snippet.splitlines() if line.startswith("access_log ")]
    assert [line.split()[1] for line in logs] == [constants.ACCESS_LOG, constants.REQUESTS_LOG]
    assert all(line.endswith("if=$wecom_gateway_visit;") for line in logs)
    assert f'"127.0.0.1 {constants.METRICS_AGENT}" "";' in trees[0]["metrics.conf"].body.decode()


def test_every_upstream_is_looked_at_by_a_name_of_its_own(parse):
    routes = [
        {"port": "entry", "path": f"/{number}/", "upstream": "http://10.30.0.1:8080/", "nodes": nodes}
        for number, nodes in enumerate([["10.30.0.2:8080"], ["10.30.0.3:8080", "10.30.0.4:8080"]])
    ]
    routes.append({"port": "entry", "path": "/", "upstream": "https://hub.17wanxiao.com/"})
    host, problems = parse({**SITE, "platform": "own"}, platforms={"own": {"routes": routes}}, metrics=METRICS)
    assert host, problems
    lines = tree(host, BUILD)["metrics/upstreams"].body.decode().splitlines()
    labels = [line.split()[0] for line in lines]
    assert len(labels) == len(set(labels)) == 3
    assert sum(label.startswith("10.30.0.1:8080#") for label in labels) == 2
    assert "hub.17wanxiao.com:443 hub.17wanxiao.com 443 https -" in lines
    assert [line.split()[5:] for line in lines if line.endswith("4:8080")] == [["10.30.0.3:8080", "10.30.0.4:8080"]]


def test_its_packages_are_installed_where_it_is_wanted_alone(parse):
    with_it, _ = parse(SITE, metrics=METRICS)
    without, _ = parse(SITE)
    known = replace(FINE, missing=constants.METRICS_PACKAGES)
    assert missing_packages(with_it, known) == ["mtail", "curl"]
    assert missing_packages(without, known) == []


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (FINE, None),
        (replace(FINE, layout=Layout(packages="dnf")), "metrics needs mtail, which the repositories of RPM systems"),
        (replace(FINE, built=frozenset()), "metrics needs nginx's http_stub_status_module, which this nginx was"),
        (
            replace(FINE, built=FINE.built | {"--without-http_ssi_module"}),
            "metrics needs nginx's http_ssi_module, which this nginx was built without",
        ),
        (
            replace(FINE, around=Surroundings(listeners=(Listener(9145, None, 4, pid=17, program="python3"),))),
            "nginx cannot listen on 10.0.0.5:9145 for metrics: port 9145 is held by python3",
        ),
    ],
    ids=["fine", "RPM", "no status", "no SSI", "held port"],
)
def test_a_host_that_cannot_have_it_is_left_alone(parse, known, said):
    host, _ = parse(SITE, metrics=METRICS)
    without, _ = parse(SITE)
    texts = [text for text in objections(host, known) if "metrics" in text]
    assert texts == [] if said is None else said in texts[0]
    assert not [text for text in objections(without, known) if "metrics" in text]


def test_selinux_is_asked_for_its_port_too(parse):
    host, _ = parse(SITE, metrics=METRICS)
    guards = Guards(enforcing=True, web_ports=((80, 80), (9001, 9001), (19001, 19001)))
    assert ["port 9145" in text for text in refusals(host, guards)] == [True]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("loaded active enabled success 5", None),
        ("loaded failed enabled oom-kill -", "is not running; systemctl restart"),
        ("loaded active linked success 5", "is not enabled; systemctl enable --now"),
        ("masked inactive - success -", "is masked; systemctl unmask"),
    ],
)
def test_status_tells_where_mtail_does_not_run(line, said):
    found = health.findings(health.read([f"unit:{constants.MTAIL_UNIT} {line}"]))
    assert len(found) == (said is not None)
    assert said is None or found[0].startswith(f"{constants.MTAIL_UNIT} {said}")


def test_nginx_mtail_and_the_script_mean_the_same_places():
    def text(name: str) -> str:
        return product.template("metrics", name).read_text()

    mtail, timed = text(constants.MTAIL_UNIT), text(constants.METRICS_UNIT)
    command = re.search(r"^ExecStart=(.*)$", mtail, re.MULTILINE)
    assert command
    words = command[1].split()
    assert words[0] == constants.MTAIL
    options = dict(zip(words[1::2], words[2::2], strict=False))
    assert options["--logs"] == constants.REQUESTS_LOG
    assert options["--progs"] == f"{constants.HOME}/current/metrics/requests.mtail"
    assert options["--unix_socket"] == constants.MTAIL_SOCKET
    assert f"RuntimeDirectory={constants.MTAIL_SOCKET.split('/')[2]}\n" in mtail
    assert f"ExecStart=/bin/bash {constants.HOME}/current/metrics.sh\n" in timed
    assert f"StateDirectory={constants.METRICS.removeprefix('/var/lib/')}\n" in timed
    assert f"RuntimeDirectory={constants.METRICS_WORK.removeprefix('/run/')}\n" in timed
    assert f"ReadWritePaths={constants.LOG_FOLDER}\n" in timed
    for unit in (mtail, timed):
        assert "MemoryMax=64M\n" in unit
        assert "NoNewPrivileges=true\n" in unit


def test_mtail_reads_the_line_that_nginx_writes(trees):
    """Field by field: a space more in one of the two, and nothing is counted."""
    written = re.search(r"log_format wecom_gateway_requests ((?:'[^']*'\s*)+);", trees[0]["metrics.conf"].body.decode())
    assert written
    line = "".join(re.findall(r"'([^']*)'", written[1]))
    assert " ${request_time}1 " in line  # 0 would be in no bucket of mtail's
    line = line.replace("${request_time}", "5.001")
    for name, value in {
        "host": "wx.school.edu.cn",
        "server_port": "443",
        "status": "502",
        "bytes_sent": "1234",
        "wecom_gateway_upstream_failed": "1",
        "wecom_gateway_upstream_connected": "0",
    }.items():
        line = line.replace(f"${name}", value)
    pattern = re.search(r"^/(\^.*\$)/ \{$", trees[0]["metrics/requests.mtail"].body.decode(), re.MULTILINE)
    assert pattern
    found = re.match(pattern[1], line)
    assert found
    assert found.groupdict() == {
        "site": "wx.school.edu.cn",
        "port": "443",
        "class": "5",
        "seconds": "5.0011",
        "bytes": "1234",
        "failed": "1",
        "connected": "0",
    }


def test_what_is_asked_of_a_host_every_minute_may_change_nothing_of_its_kernel(parse):
    """Root asks, and reads what platforms answer."""
    host, _ = parse(SITE, metrics=METRICS)
    units = {
        path: text for path, text in _texts(tree(host, BUILD)).items() if re.search("wecom-gateway-m.*service$", path)
    }
    assert len(units) == 2
    for path, text in units.items():
        for kind in ("KernelTunables", "KernelModules", "ControlGroups"):
            assert f"\nProtect{kind}=true\n" in text, path
        assert "\nSystemCallFilter=@system-service\n" in text, path
