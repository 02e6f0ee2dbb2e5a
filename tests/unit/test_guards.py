"""RPM systems, SELinux and firewalld: what a deploy refuses with the command that helps, and what it only tells."""

from __future__ import annotations

import pytest

from gateway.deploys import guards
from gateway.deploys.objections import objections, remarks
from gateway.deploys.state import missing_packages

from .test_objections import BARE, SLB, THERE, TLS, conf, host, known

__all__ = ["host"]

RPM = {**BARE, "layout:packages": "dnf"}
ALLOWED = {"selinux:connect": "on", "selinux:ports": "19001 9000-9001 80 443"}


def _said(host, **facts):
    return objections(host, known(THERE, dump=conf(), **facts))


def test_nothing_is_said_of_selinux_where_it_is_not_in_force_or_allows_everything(host):
    assert _said(host(SLB)) == _said(host(SLB), **ALLOWED) == []


def test_what_selinux_keeps_nginx_from_is_refused_with_the_command(host):
    (text,) = _said(host(SLB), **{**ALLOWED, "selinux:connect": "off"})
    assert text.endswith("setsebool -P httpd_can_network_connect 1")
    (text,) = _said(host(SLB), **{**ALLOWED, "selinux:ports": "19001 80 443"})
    assert "semanage port -a -t http_port_t -p tcp 9001 " in text


def test_the_policy_s_usual_ports_count_where_nothing_tells_them(host):
    texts = _said(host(TLS), **{"selinux:connect": "on"})
    assert [port for port in (80, 443, 9001, 19001) if any(f"-p tcp {port} " in text for text in texts)] == [
        9001,
        19001,
    ]


def test_a_port_that_firewalld_does_not_let_in_is_told_and_refuses_nothing(host):
    state = known(THERE, dump=conf(), firewall="9001/udp 8000-8010/tcp ssh http")
    assert objections(host(SLB), state) == []
    (text,) = remarks(host(SLB), state)
    assert "port 9001;" in text
    assert "--add-port=9001/tcp && firewall-cmd --reload" in text
    assert remarks(host(SLB), known(THERE, dump=conf(), firewall="9001/tcp http")) == []
    assert remarks(host(SLB), known(THERE, dump=conf())) == []


def test_an_rpm_system_without_a_repository_that_has_nginx(host):
    assert objections(host(SLB), known(RPM)) == []
    (text,) = objections(host(SLB), known(RPM, candidate=""))
    assert "dnf on this host knows neither nginx nor epel-release" in text
    assert objections(host(SLB), known(RPM, candidate="", epel="yes")) == []


def test_automatic_certificates_are_refused_on_an_rpm_system(host):
    ordered = {**TLS, "cert": {"acme": {"email": "ops@school.edu.cn"}}}
    wanted = host(ordered)
    (text,) = objections(wanted, known(RPM))
    assert text.startswith("b.edu.cn: certificates from an ACME server are not supported")
    assert objections(wanted, known(BARE)) == []


def test_a_system_of_another_kind_is_refused(host):
    (text,) = objections(host(SLB), known({**BARE, "layout:packages": ""}))
    assert "none of the package managers apt, dnf and yum" in text


def test_the_stream_module_and_certbot_are_needed_by_those_that_ask_for_them_alone(host):
    state = known(RPM, missing="nginx nginx-mod-stream certbot perl(Fcntl)")
    assert missing_packages(host(SLB), state) == ["nginx", "perl(Fcntl)"]
    egress = {"listen": "10.0.0.5:443", "allow": ["10.0.0.0/24"]}
    assert missing_packages(host(SLB, egress=egress), state) == ["nginx", "nginx-mod-stream", "perl(Fcntl)"]


def test_ports_that_a_deploy_opens_are_not_told(host):
    state = known(THERE, dump=conf(), firewall="ssh http")
    assert remarks(host(SLB, firewall=True), state) == []
    assert guards.closed_ports(host(SLB, firewall=True), state.guards) == [9001]
    assert guards.closed_ports(host(SLB), known(THERE, dump=conf()).guards) == []


@pytest.mark.parametrize("value", ["yes", 1, None, ["9001"]])
def test_whether_to_open_them_is_true_or_false(parse, value):
    parsed, (wrong,) = parse(SLB, firewall=value)
    assert parsed is None
    assert "right would be True" in wrong


def test_where_another_site_is_the_default_a_health_check_by_address_does_not_reach_the_gateway(host):
    theirs = conf("server { listen 80 default_server; server_name theirs.example; }")
    (text,) = remarks(host(SLB), known(THERE, dump=theirs))
    assert "in /etc/nginx/sites-enabled/theirs, is the default of port 80" in text
    assert "/healthz" in text
    assert remarks(host(TLS), known(THERE, dump=theirs)) == []
