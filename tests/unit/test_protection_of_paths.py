"""Rules that protect people: what is published, verification, redirects, logs, TLS, and egress.

That nginx does so is proven on hosts; here every server and location is looked at, for every nginx.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gateway.inventory.site import Route, Upstream
from gateway.nginx.tls_profile import Version

from .nginx_reading import Block, read
from .protected import (
    EGRESS,
    UNCONDITIONAL,
    VERIFY,
    VERSIONS,
    own_servers,
    proxied,
    rendered,
    server_names,
    servers,
)

# What is published


PREFIXES = {"/o/bk_itsm/weixin/", "/o/bk_itsm/static/weixin/", "/o/bk_itsm/jsi18n/"}


def _guarded(http: Block) -> list[Block]:
    found = [one for one in own_servers(http) if "itsm.b.edu.cn" in server_names(one) and _proxies(one)]
    assert found
    return found


def _proxies(server: Block) -> set[str]:
    proxied = {path for path, location in server.locations().items() if location.all("proxy_pass")}
    return proxied - set(UNCONDITIONAL)


def test_beside_an_allow_list_there_is_nothing(http):
    for server in _guarded(http):
        assert _proxies(server) == PREFIXES
        locations = server.locations()
        for path in ("/", *(f"= {prefix[:-1]}" for prefix in PREFIXES)):
            assert locations[path].all("return") == [("404",)], path
        for path, location in locations.items():
            if path in PREFIXES:
                ((target,),) = location.all("proxy_pass")
                assert target.endswith(path), "with a path nginx sends what it matched, not what came in"
    for server in own_servers(http):
        if "test.b.edu.cn" in server_names(server) and "/bserver/" in server.locations():
            assert server.locations()["/"].all("return") == [("404",)]


def test_a_guarded_route_never_passes_a_path_as_it_came():
    whole = Route(443, "/", Upstream("paas.inner.example"), "/")
    assert whole.verbatim
    assert not replace(whole, guarded=True).verbatim


def test_a_guarded_server_answers_404_to_what_may_be_read_as_another_path(http):
    for server in _guarded(http):
        for location in [one for path, one in server.locations().items() if path in PREFIXES]:
            guards = [one for one in location.blocks if "$wecom_gateway_ambiguous" in one.arguments[0]]
            assert [(one.name, one.all("return")) for one in guards] == [("if", [("404",)])]
        assert server.inherited("merge_slashes") == [("on",)]


@pytest.mark.parametrize(
    ("path", "ambiguous"),
    [
        ("/o/bk_itsm/weixin/", False),
        ("/o/bk_itsm/weixin/a.b/c-d_e~f/@(1)", False),
        ("/o/bk_itsm/weixin/工单/列表", False),
        ("/o/bk_itsm/weixin/...", False),
        # as nginx has it after one decoding: %252e%252e, ;, %5c, control characters
        ("/o/bk_itsm/weixin/%2e%2e/admin", True),
        ("/o/bk_itsm/weixin/..;/admin", True),
        ("/o/bk_itsm/weixin/.. /admin", True),
        ("/o/bk_itsm/weixin/ ./admin", True),
        ("/o/bk_itsm/weixin/.. ", True),
        ("/o/bk_itsm/weixin/a. b/v1. 2", False),
        ("/o/bk_itsm/weixin/;x=1/a", True),
        ("/o/bk_itsm/weixin/..\\admin", True),
        ("/o/bk_itsm/weixin/\x00", True),
        ("/o/bk_itsm/weixin/\r\nX: y", True),
        ("/o/bk_itsm/weixin/\x7f", True),
        # what normalisation folds to dots, slashes, backslashes, semicolons and percent signs
        ("/o/bk_itsm/weixin/．．/admin", True),
        ("/o/bk_itsm/weixin/．", True),
        ("/o/bk_itsm/weixin/..／admin", True),
        ("/o/bk_itsm/weixin/..＼admin", True),
        ("/o/bk_itsm/weixin/..；/admin", True),
        ("/o/bk_itsm/weixin/％2e", True),
        ("/o/bk_itsm/weixin/‥/admin", True),
        ("/o/bk_itsm/weixin/..∕admin", True),
        ("/o/bk_itsm/weixin/﹒﹒/admin", True),
        # blanks that are none in ASCII, or that nobody sees
        ("/o/bk_itsm/weixin/..\u00a0/admin", True),
        ("/o/bk_itsm/weixin/\u00a0../admin", True),
        ("/o/bk_itsm/weixin/..\u3000", True),
        ("/o/bk_itsm/weixin/..\u0085/admin", True),
        ("/o/bk_itsm/weixin/.\u200b./admin", True),
        ("/o/bk_itsm/weixin/.\u00ad./admin", True),
        ("/o/bk_itsm/weixin/.\ufeff./admin", True),
        ("/o/bk_itsm/weixin/ .\u3000/admin", True),
        ("/o/bk_itsm/weixin/.. ?x", True),
        ("/o/bk_itsm/weixin/ ..#x", True),
        ("/o/bk_itsm/weixin/..\u3000？", True),
        ("/o/bk_itsm/weixin/ ?x", False),
        ("/o/bk_itsm/weixin/a..?x", False),
        ("/o/bk_itsm/weixin/工单\u3000.pdf", False),
        ("/o/bk_itsm/weixin/\u3000/x", False),
        # dots that a question mark ends where the path is parsed a second time
        ("/o/bk_itsm/weixin/..?/", True),
        ("/o/bk_itsm/weixin/..#x", True),
        ("/o/bk_itsm/weixin/..？", True),
        # overlong UTF-8
        (b"/o/bk_itsm/weixin/\xc0\xae\xc0\xae/admin", True),
        (b"/o/bk_itsm/weixin/\xe0\x80\xae/admin", True),
        (b"/o/bk_itsm/weixin/\xf0\x80\x80\xaf", True),
        (b"/o/bk_itsm/weixin/\xff", True),
    ],
)
def test_what_an_upstream_could_read_as_another_path_is_ambiguous(path, ambiguous):
    (guard,) = [one for one in read(rendered()).inside("map") if one.arguments[1] == "$wecom_gateway_ambiguous"]
    assert guard.arguments[0] == "$uri"
    rules = dict(guard.directives)
    assert rules.pop("default") == ("0",)
    raw = path if isinstance(path, bytes) else path.encode()
    found = [rule for rule, value in rules.items() if value == ("1",) and re.search(_as_bytes(rule), raw)]
    assert bool(found) == ambiguous


def _as_bytes(rule: str) -> bytes:
    """A regular expression of a map, which nginx holds against the bytes of a path."""
    assert rule.startswith("~")
    return rule[1:].encode("latin-1")


# Verification, redirects, logs, TLS


def test_plain_http_without_a_load_balancer_is_for_verification_and_the_way_to_https():
    for server in own_servers(read(rendered())):
        if ("80",) not in server.all("listen"):
            continue
        (domain,) = server_names(server)
        assert not server.all("return"), "it would run before verification files are looked for"
        locations = server.locations()
        assert locations["/"].all("return") == [("301", f"https://{domain}$request_uri")]
        file = locations[f"= /{VERIFY}"]
        ((root,),) = file.all("root")
        assert root.endswith(f"/verify/{domain}")
        assert not _proxies(server)


def test_verification_files_are_there_at_every_entry(http):
    for server in own_servers(http):
        (port, *_), *_ = server.all("listen")
        has = f"= /{VERIFY}" in server.locations()
        assert has == (port in ("80", "443"))


def test_a_request_with_conditions_gets_the_file_of_its_own_domain_and_nothing_else_of_this_host(http):
    (asked,) = [one for one in http.inside("map") if one.arguments[1] == "$wecom_gateway_conditional"]
    assert asked.arguments[0] == "$http_if_match$http_if_none_match$http_if_unmodified_since"
    assert dict(asked.directives) == {"": ("",), "default": ("/conditional",)}
    for server in own_servers(http):
        locations = server.locations()
        assert (f"= /{VERIFY}" in locations) == (UNCONDITIONAL[0] in locations)
        if UNCONDITIONAL[0] in locations:
            file, unconditional = locations[f"= /{VERIFY}"], locations[UNCONDITIONAL[0]]
            assert file.all("try_files") == [("$wecom_gateway_conditional$uri", *UNCONDITIONAL)]
            assert file.all("max_ranges") == [("0",)]
            assert unconditional.all("proxy_pass") == [("http://127.0.0.1:19001/verify/$host$uri",)]
            assert unconditional.all("proxy_pass_request_headers") == [("off",)]
            assert unconditional.all("proxy_set_header") == [("Connection", "close")]
    (telling,) = [one for one in servers(http) if "= /release" in one.locations()]
    assert telling.locations().keys() == {"= /release", "/verify/", "/"}
    assert telling.locations()["/"].all("return") == [("444",)]
    ((folder,),) = telling.locations()["/verify/"].all("alias")
    assert folder.endswith("/verify/")


def test_no_redirect_of_nginxs_own_names_a_port_or_plain_http(http):
    for server in servers(http):
        if "= /release" not in server.locations():
            assert server.inherited("absolute_redirect") == [("off",)]


def _logged(http):
    """The log format's fields: each name and the variable that is its value."""
    ((name, escape, *words),) = http.all("log_format")
    assert escape == "escape=json", "a quote in a user agent would end the line's own"
    for server in own_servers(http):
        assert {one[1] for one in server.inherited("access_log")} == {name}
    text = "".join(words)
    fields = dict(re.findall(r'"(\w+)":"?\$(\w+)"?[,}]', text))
    assert text == "{" + ",".join(re.findall(r'"\w+":(?:"\$\w+"|\$\w+)', text)) + "}"
    return fields, set(re.findall(r'"(\w+)":"', text))


def _map(http, variable):
    (found,) = [one for one in http.inside("map") if one.arguments[1] == variable]
    return found.arguments[0], dict(found.directives)


def test_no_log_holds_what_stands_behind_a_question_mark(http):
    """OAuth codes do, and behind one that is encoded, which nginx takes for a part of the path; sessions stand behind a
    semicolon."""
    fields, _ = _logged(http)
    assert not {"uri", "request_uri", "request", "args", "query_string", "http_referer", "http_cookie"} & {
        *fields.values()
    }
    source, rules = _map(http, f"${fields['path']}")
    assert source == "$uri"
    ((pattern, value),) = rules.items()
    assert value == ("$1",)
    for kept, cut in [("/a/b", "?code=x"), ("/a", "#code=x"), ("/a", ";jsessionid=x"), ("", "?code=x"), ("/学", "")]:
        assert re.search(pattern.removeprefix("~"), kept + cut)[1] == kept


def test_a_log_line_has_the_id_that_a_page_of_its_status_shows(http):
    """And that the visitor and the platform were told."""
    fields, _ = _logged(http)
    assert fields["request_id"] == "request_id"
    _, page = _map(http, "$wecom_gateway_error_page")
    assert "$request_id" in "".join(page["default"])
    for server in own_servers(http):
        assert ("X-Request-Id", "$request_id", "always") in server.inherited("add_header")
    for location in proxied(http):
        assert ("X-Request-Id", "$request_id", "always") in location.inherited("add_header")
        assert ("X-Request-Id",) in location.inherited("proxy_hide_header"), "the upstream's comes beside it"


def test_a_log_line_has_numbers_where_nginx_always_has_one(http):
    """What is not in quotes has to be a number in every line, or no program can read it."""
    fields, quoted = _logged(http)
    numbers = {name: variable for name, variable in fields.items() if name not in quoted}
    assert numbers.pop("status") == "wecom_gateway_logged_status"
    assert set(numbers.values()) == {"server_port", "body_bytes_sent", "request_time"}
    source, rules = _map(http, "$wecom_gateway_logged_status")
    assert (source, rules) == ("$status", {"default": ("$status",), "000": ("0",), "009": ("9",)})


def test_visitors_are_offered_no_tls_that_can_be_broken(http):
    spoken = [one for one in servers(http) if any("ssl" in flags for _, *flags in one.all("listen"))]
    for server in spoken:
        assert server.inherited("ssl_protocols") == [("TLSv1.2", "TLSv1.3")]
        ((ciphers,),) = server.inherited("ssl_ciphers")
        # forward secrecy and authenticated encryption
        assert all(re.match(r"ECDHE-.*(GCM|POLY1305)", one) for one in ciphers.split(":"))


@pytest.mark.parametrize("version", VERSIONS)
def test_tickets_are_given_only_where_their_keys_change(version):
    http = read(rendered(version=version))
    rotates = Version.parse(version).number >= (1, 23, 2)
    spoken = [one for one in own_servers(http) if any("ssl" in flags for _, *flags in one.all("listen"))]
    assert spoken
    for server in spoken:
        assert server.inherited("ssl_session_tickets") == [("on" if rotates else "off",)]


# Egress


def test_egress_is_for_the_networks_that_are_named_and_for_the_names_of_wecom():
    (stream,) = read(rendered(), "egress.conf").blocks
    (server,) = stream.inside("server")
    access = [(name, *arguments) for name, arguments in server.directives if name in ("allow", "deny")]
    assert access == [*(("allow", network) for network in EGRESS["allow"]), ("deny", "all")]
    assert server.all("listen") == [(EGRESS["listen"],)]
    assert server.all("ssl_preread") == [("on",)]
    (by_name,) = stream.inside("map")
    assert by_name.arguments[0] == "$ssl_preread_server_name"
    assert server.all("proxy_pass") == [(by_name.arguments[1],)]
    chosen = {name: upstream for name, (upstream,) in by_name.directives}
    addresses = {one.arguments[0]: one for one in stream.inside("upstream")}
    assert addresses[chosen.pop("default")].all("server") == [("127.0.0.1:9", "down")]
    assert chosen.keys() == {"api.weixin.qq.com", "qyapi.weixin.qq.com"}
    assert all(upstream.endswith(f"_{name}") and upstream in addresses for name, upstream in chosen.items())
