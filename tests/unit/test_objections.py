"""Hosts that a deploy leaves as they are, and what it says of them."""

from __future__ import annotations

import pytest

from gateway.deploys.objections import announcements, objections, remarks
from gateway.deploys.state import read

from .test_neighbours import LAST, LATE, MARK, USUAL, dump

SLB = {"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}
TLS = {"domain": "b.edu.cn", "edge": "tls", "platform": "wanxiao_prod"}
NGINX = "nginx.service nginx"
# An nginx of Debian's package that runs, with nothing else on the host.
THERE = {
    "version": "nginx version: nginx/1.22.1",
    "unit:LoadState": "loaded",
    "unit:UnitFileState": "enabled",
    "unit:ActiveState": "active",
    "main_pid": "900",
    "listen:00000000:0050": f"900 {NGINX}",
    "listen:00000000000000000000000000000000:0050": f"900 {NGINX}",
    "listen:00000000:0016": "7 ssh.service sshd",
}
BARE = {"candidate": "1.22.1-9", "unit:LoadState": "not-found", "listen:00000000:0016": "7 ssh.service sshd"}


def known(base, **changes):
    values = {key: value for key, value in (base | changes).items() if value is not None}
    return read([f"{key} {value}" for key, value in values.items()])


def conf(theirs="", http="include conf.d/*.conf; include sites-enabled/*;"):
    files = {"/etc/nginx/nginx.conf": f"http {{ {http} }}", "/etc/nginx/sites-enabled/theirs": theirs}
    return dump({**files, USUAL: MARK, LATE: MARK, LAST: MARK})


@pytest.fixture
def host(parse, store_pair):
    def make(*sites, **data):
        for site in sites:
            if site["edge"] == "tls":
                store_pair(site["domain"])
        parsed, wrong = parse(*sites, **data)
        assert not wrong
        return parsed

    return make


def test_a_bare_host_and_one_with_nginx_of_the_package_are_fine(host):
    assert objections(host(SLB), known(BARE)) == []
    assert objections(host(SLB), known(THERE, dump=conf())) == []


@pytest.mark.parametrize("base", [BARE, THERE])
@pytest.mark.parametrize(
    ("socket", "port"),
    [("00000000:0050", 80), ("0100007F:0050", 80), ("0000000000000000FFFF00000100007F:2329", 9001)],
)
def test_a_port_that_somebody_else_holds(host, base, socket, port):
    (text,) = objections(host(SLB), known(base, **{f"listen:{socket}": "17 apache2.service apache2"}))
    assert f"port {port} is held by apache2 (pid 17, apache2.service)" in text


def test_a_port_that_no_site_needs_is_somebody_else_s(host):
    assert objections(host(SLB), known(BARE, **{"listen:00000000:01BB": "17 apache2.service apache2"})) == []
    assert objections(host(TLS), known(BARE, **{"listen:00000000:01BB": "17 - python3"}))


def test_the_gateway_s_own_port_is_needed_too(host):
    (text,) = objections(host(SLB), known(BARE, **{"listen:0100007F:4A39": "17 - java"}))
    assert "port 19001 is held by java (pid 17)" in text


def test_a_worker_with_a_smaller_number_is_nginx_s_too(host):
    """Process numbers start again from the bottom, and then a worker's is smaller than that of the master."""
    assert objections(host(SLB), known(THERE, **{"listen:00000000:0050": f"412 {NGINX}"})) == []


def test_an_nginx_elsewhere_that_is_not_the_unit_s_holds_its_port(host):
    found = objections(host(SLB), known(THERE, **{"listen:00000000:2329": "55 panel.service nginx"}))
    assert "9001 is held by nginx (pid 55, panel.service)" in found[0]


@pytest.mark.parametrize(
    "found",
    [
        {"nginx:/usr/local/nginx/sbin/nginx": "0 - nginx/1.18.0"},
        {"nginx:/www/server/nginx/sbin/nginx": "55 panel.service nginx/1.22.0"},
        {"unit:Foreign": "/usr/lib/systemd/system/nginx.service"},
    ],
)
def test_an_nginx_of_no_package_stays_what_it_is(host, found):
    (text,) = objections(host(SLB), known(BARE, **found))
    ((key, value),) = found.items()
    assert (value if key == "unit:Foreign" else key.removeprefix("nginx:")) in text


def test_one_that_merely_lies_beside_the_package_s_is_nobody_s_concern(host):
    lies = {"nginx:/usr/local/nginx/sbin/nginx": "0 - nginx/1.18.0"}
    assert objections(host(SLB), known(THERE, **lies)) == []
    runs = {"nginx:/usr/local/nginx/sbin/nginx": "55 own.service nginx/1.18.0"}
    assert objections(host(SLB), known(THERE, **runs)) == []
    unit = {"nginx:/usr/local/nginx/sbin/nginx": "900 nginx.service nginx/1.18.0"}
    assert "nginx.service runs /usr/local/nginx/sbin/nginx" in objections(host(SLB), known(THERE, **unit))[0]


OWN = {
    "foreign": "yes",
    "layout:program": "/usr/local/nginx/sbin/nginx",
    "layout:main_file": "/usr/local/nginx/conf/nginx.conf",
    "layout:unit": "own.service",
}


def test_an_nginx_of_the_host_s_own_is_as_good_as_the_package_s(host):
    assert objections(host(SLB), known(THERE, **OWN, **{"listen:00000000:0050": "55 own.service nginx"})) == []


def test_one_that_does_not_run_is_to_be_started(host):
    (text,) = objections(host(SLB), known(THERE, **OWN, main_pid="0"))
    assert text.endswith("systemctl restart own.service")
    (text,) = objections(host(SLB), known(THERE, **OWN | {"layout:unit": ""}, main_pid="0"))
    assert text.endswith(": /usr/local/nginx/sbin/nginx")


def test_while_one_nginx_takes_the_place_of_another_nothing_is_deployed(host):
    (text,) = objections(host(SLB), known(THERE, **{"nginx:/usr/sbin/nginx": "412 nginx.service nginx/1.22.1"}))
    assert "two nginx run under nginx.service" in text
    assert "pid 412" in text


def test_several_of_which_any_could_be_meant(host):
    two = {f"nginx:/opt/{name}/nginx": f"{pid} {name}.service nginx/1.22.1" for name, pid in (("a", 7), ("b", 8))}
    (text,) = objections(host(SLB), known(BARE, **two))
    assert text.startswith("several nginx run on this host")


def test_what_starts_it_at_boot_is_told_where_no_unit_does(host):
    assert announcements(known(THERE, **OWN)) == []
    (text,) = announcements(known(THERE, **OWN | {"layout:unit": ""}))
    assert text.startswith("no unit of systemd starts /usr/local/nginx/sbin/nginx")


def test_under_a_supervisor(host):
    state = known(
        THERE,
        **{"unit:ActiveState": "inactive", "main_pid": "0", "nginx:/usr/sbin/nginx": "55 supervisor.service v"},
    )
    (text,) = objections(host(SLB), state)
    assert "runs as pid 55 under supervisor.service" in text


@pytest.mark.parametrize("base", [BARE, THERE])
def test_masked_and_without_systemd(host, base):
    (text,) = objections(host(SLB), known(base, **{"unit:LoadState": "masked"}))
    assert "systemctl unmask nginx" in text
    (text,) = objections(host(SLB), known(base, init="sshd"))
    assert "not run by systemd (its process 1 is sshd)" in text


def test_a_configuration_that_is_broken_or_never_reads_a_release(host):
    (text,) = objections(host(SLB), known(THERE, broken="unknown directive x in /etc/nginx/conf.d/x.conf:1"))
    assert "unknown directive x in /etc/nginx/conf.d/x.conf:1" in text
    for theirs in ("", "server { listen 80; }"):
        assert objections(host(SLB), known(THERE, dump=conf(theirs, http="include sites-enabled/*;"))) == []
    assert objections(host(SLB), known(THERE, dump=dump({"/etc/nginx/nginx.conf": "http { }"}))) == []
    elsewhere = {"/etc/nginx/nginx.conf": "include h.conf;", "/etc/nginx/h.conf": "http { }"}
    (text,) = objections(host(SLB), known(THERE, dump=dump(elsewhere)))
    assert "add this line to the http block: include /etc/nginx/conf.d/*.conf;" in text


ALONE = {"listen:00000000:0050": None, "listen:0909090A:0050": f"900 {NGINX}"}


def test_one_address_alone_keeps_nginx_from_all_of_them(host):
    theirs = conf("server { listen 10.9.9.9:80; listen [::]:80; }")
    (text,) = objections(host(SLB), known(THERE, dump=theirs, **ALONE))
    assert "in /etc/nginx/sites-enabled/theirs, has nginx listen on 10.9.9.9:80 alone" in text
    # where it has every address already, or does not run, there is nothing in the way
    assert objections(host(SLB), known(THERE, dump=theirs, **{"listen:0909090A:0050": f"900 {NGINX}"})) == []
    assert objections(host(SLB), known({**BARE, "version": "1.22.1"}, dump=theirs)) == []


def test_one_socket_for_both_families_and_a_stream_server_are_in_the_way(host):
    (text,) = objections(host(SLB), known(THERE, dump=conf("server { listen [::]:80 ipv6only=off; }")))
    assert "listen 80; listen [::]:80;" in text
    stream = dump(
        {"/etc/nginx/nginx.conf": "http { include conf.d/*; } stream { server { listen 9001; } }", USUAL: MARK}
    )
    (text,) = objections(host(SLB), known(THERE, dump=stream))
    assert "a stream server of this host, in /etc/nginx/nginx.conf, listens on port 9001" in text


def test_a_default_by_place_that_would_be_lost(host):
    main, last = "http { include conf.d/*; include last; }", "/etc/nginx/last"
    theirs = dump({"/etc/nginx/nginx.conf": main, USUAL: MARK, last: "server { listen 80; }"})
    (text,) = objections(host(SLB), known(THERE, dump=theirs))
    assert "listen 80 default_server;" in text
    elsewhere = dump({"/etc/nginx/nginx.conf": main, USUAL: MARK, last: "server { listen 88; }"})
    assert objections(host(SLB), known(THERE, dump=elsewhere)) == []


def test_an_address_where_a_name_of_ours_is_theirs(host):
    theirs = conf("server { listen 80; listen 10.9.9.9:80; server_name a.edu.cn; }")
    alone, everywhere = objections(host(SLB), known(THERE, dump=theirs))[::-1]
    assert "another site of this host has a.edu.cn on 10.9.9.9:80" in alone
    assert "another site of this host has a.edu.cn on port 80 as well, in /etc/nginx/sites-enabled/theirs" in everywhere


@pytest.mark.parametrize(
    ("theirs", "port"),
    [
        ("listen 80; server_name x.example A.edu.cn;", 80),
        ("listen [::]:9001; server_name a.edu.cn;", 9001),
        ("server_name a.edu.cn;", 80),
        ("listen 8080; server_name a.edu.cn;", None),
        ("listen 127.0.0.1:80; server_name a.edu.cn;", None),
        ("listen 80; server_name *.a.edu.cn b.edu.cn;", None),
    ],
)
def test_a_name_that_they_serve_on_a_port_of_the_site_is_refused_with_the_file(host, theirs, port):
    found = [
        one for one in objections(host(SLB), known(THERE, dump=conf(f"server {{ {theirs} }}"))) if "as well" in one
    ]
    begins = f"another site of this host has a.edu.cn on port {port} as well, in /etc/nginx/sites-enabled/theirs"
    assert len(found) == (port is not None)
    assert all(one.startswith(begins) and '"replaces"' in one for one in found)


def test_what_is_only_told(host):
    theirs = conf("server { listen 443 ssl; ssl_protocols TLSv1.2; listen 10.9.9.9:80; }")
    state = known(THERE, dump=theirs, unresolved="paas.inner.example")
    texts = remarks(host(TLS), state)
    assert len(texts) == 3
    assert "does not resolve on this host" in texts[0]
    assert "10.9.9.9:80 is an address that another site" in texts[1]
    assert "which allows TLSv1.2 alone" in texts[2]
    assert not any("TLSv1" in text for text in remarks(host(SLB), state))


def test_a_disabled_nginx_will_be_enabled_and_that_is_said():
    (text,) = announcements(known(THERE, **{"unit:UnitFileState": "disabled"}))
    assert "it will be enabled" in text
    assert announcements(known(THERE)) == announcements(known(BARE, **{"unit:UnitFileState": "disabled"})) == []


def test_the_address_of_egress_is_named_where_somebody_has_it(host):
    egress = {"listen": "10.9.9.9:443", "allow": ["10.9.9.0/24"]}
    (text,) = objections(host(SLB, egress=egress), known(THERE, **{"listen:0909090A:01BB": "17 - python3"}))
    assert "10.9.9.9:443 for egress: port 443 is held by python3 (pid 17)" in text
    assert objections(host(SLB, egress=egress), known(THERE, **{"listen:0808080A:01BB": "17 - python3"})) == []


def test_an_nginx_that_does_not_say_its_version_is_not_replaced_by_the_package_s(host):
    (text,) = objections(host(SLB), known(THERE, version="", foreign="yes", **{"layout:program": "/opt/x/nginx"}))
    assert "/opt/x/nginx does not say which version of nginx it is" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"unit:LoadState": "masked"},
        {"foreign": "yes", "main_pid": "0"},
        {"dump": dump({"/etc/nginx/nginx.conf": "include h.conf;", "/etc/nginx/h.conf": "http { }"})},
    ],
)
def test_what_keeps_a_gateway_from_coming_does_not_keep_it_from_going(host, changes):
    assert objections(host(SLB), known(THERE, **changes))
    assert objections(host(), known(THERE, **changes)) == []


def test_a_gateway_can_follow_its_owner_to_another_nginx(host):
    stopped = {"foreign": "yes", "main_pid": "0", "layout:program": "/opt/x/nginx"}
    assert "rm " not in objections(host(SLB), known(THERE, **stopped))[0]
    (text,) = objections(host(SLB), known(THERE, current="releases/0123456789abcdef", **stopped))
    assert "where another nginx has its place now: rm /etc/nginx/wecom-gateway/nginx" in text
