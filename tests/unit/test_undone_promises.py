"""What a site's own nginx directives undo is told line by line, and what harms nothing is not."""

from __future__ import annotations

import re

import pytest

from gateway.checkout import own_directives
from gateway.checkout.verify_files import VerifyFile
from gateway.fleet import undone_promises
from gateway.fleet.directive_rules import RULES
from gateway.fleet.parsing import parse_host
from gateway.nginx.request_headers import STRIPPED
from gateway.nginx.servers import YIELDING
from tests.conftest import REPO

from .conftest import PLATFORMS
from .nginx_reading import Block
from .protected import own_servers

DOMAIN = "wx.a.edu.cn"
VERIFY = VerifyFile("WW_verify_AbCdEfGhIjKlMnOp.txt", b"AbCdEfGhIjKlMnOp")
_BK = {"upstream": "https://paas.inner.example", "apps": ["itsm"]}
KINDS = {
    "whole": {"edge": "slb", "platform": "wanxiao_prod", "slb_cidrs": ["10.9.9.0/24"]},
    "prefix": {"edge": "slb", "platform": "wanxiao_test", "slb_cidrs": ["10.9.9.0/24"]},
    "unseen": {"edge": "slb", "platform": "wanxiao_prod"},
    "allow": {"edge": "tls", "platform": "wanxiao_prod", "allow": ["10.9.9.0/24"]},
    "wall": {"edge": "tls", "platform": "bkitsm", "bk": _BK},
    "tls": {"edge": "tls", "platform": "wanxiao_prod"},
    "hsts": {"edge": "tls", "platform": "wanxiao_prod", "hsts": 300},
}


@pytest.fixture
def told(files):
    """told(text, kind): what is told of directives of a site of that kind, each with its severity."""

    def judge(text: str, kind: str = "whole", **host_has: bool) -> list[tuple[str, str]]:
        entry = {"domain": DOMAIN, **KINDS[kind]}
        host, _ = parse_host("h1", {"platforms": PLATFORMS, "sites": [entry]}, files, certificates=False)
        own = own_directives.parse(f"files/nginx/{DOMAIN}.conf", text.encode())
        found = undone_promises.judge("h1", host.sites[0], (VERIFY,), own, **host_has)
        return [(one.severity, str(one)) for one in found]

    return judge


@pytest.mark.parametrize(
    "text",
    [
        "location /robots.txt { return 200 'User-agent: *\\n'; }",
        "location = /favicon.ico { return 204; }",
        "location = / { return 302 /bsacs/; }",
        "location ^~ /static/ { alias /srv/static/; expires 1h; add_header Cache-Control public; }",
        "location /admin/ { auth_basic x; auth_basic_user_file /etc/nginx/users; root /srv; }",
        "location /office/ { alias /srv/office/; allow 10.0.0.0/8; deny all; }",
        "location /office/ { allow 10.0.0.0/8; deny all; return 403; }",
        "location /site/ { alias /var/www/site/; }",
        "location /site/ { root html; }",
        "location /etcetera/ { alias /etcetera/; }",
        "location = /st { stub_status; allow 127.0.0.1; deny all; }",
        "location /up/ { root /srv; dav_methods PUT; auth_basic x; auth_basic_user_file /srv/users; }",
        "location /x/ { dav_methods off; }",
        "allow all;",
        "proxy_set_header Cookie $http_cookie;",
        "proxy_set_header X-Forwarded-Port 443;",
        "proxy_set_header X-Forwarded-Scheme $scheme;",
        "proxy_pass_header Server;",
        "location /off/ { access_log off; if ($arg_x) { return 403; } rewrite ^ /x last; }",
        "add_header X-Frame-Options SAMEORIGIN always;",
        "add_header Content-Security-Policy 'frame-ancestors self';",
        "gzip on; gzip_types text/css; gzip_vary on;",
        "client_body_timeout 2m;",
        "proxy_set_header X-School 10001;",
        "proxy_cookie_flags ~ secure;",
        "proxy_ssl_certificate /etc/ssl/client.pem; proxy_ssl_certificate_key /etc/ssl/client.key;",
        "proxy_hide_header X-Powered-By;",
        "limit_rate 1m;",
        "sub_filter a b;",
        "auth_basic off;",
        "access_log /var/log/nginx/mine.log wecom_gateway;",
        "proxy_buffering off; proxy_cache off; proxy_next_upstream off;",
        "set $mine 1;",
        "proxy_next_upstream error timeout;",
        "expires off;",
        "location /x/ { expires 1d; add_header Access-Control-Allow-Origin *; }",
        "sub_filter_types text/css;",
    ],
)
@pytest.mark.parametrize("kind", ["whole", "prefix", "tls"])
def test_what_harms_nothing_is_not_told(told, text, kind):
    assert told(text, kind) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("return 404;", "runs before verification files"),
        ("rewrite ^/x /y last;", "runs before verification files"),
        ("if ($http_user_agent ~ bot) { return 403; }", "runs before verification files"),
        ("auth_basic staff;", "WeCom cannot log in to a verification file"),
        ("auth_request /auth;", "WeCom cannot log in"),
        ("allow 10.0.0.0/8;", "which WeCom has to reach from anywhere"),
        ("deny all;", "which WeCom has to reach from anywhere"),
        ("ssl_verify_client on;", "phones and WeCom have no certificate"),
        ("server_name other.edu.cn;", "add a site with that domain"),
        ("listen 8443;", 'a route of the platform has a "port"'),
        ("ssl_protocols TLSv1;", "Mozilla's guideline"),
        ("ssl_certificate /x.pem;", "import-cert stores"),
        ("proxy_ssl_protocols TLSv1;", "weakens how upstreams are verified"),
        ("proxy_ssl_name other;", "weakens how upstreams are verified"),
        ("proxy_set_header Host $host;", "the upstream gets it twice"),
        ("proxy_set_header x-forwarded-for $remote_addr;", "the upstream gets it twice"),
        ("proxy_set_header Authorization 'Basic eA==';", "a secret has no place in this file"),
        ("location /x/ { proxy_set_header X 1; }", "nginx takes these headers from one place alone"),
        (
            "proxy_pass_request_headers off;",
            "passes requests on as they came, and this changes them: logins fail",
        ),
        ("proxy_set_body x;", "passes requests on as they came, and this changes them: logins fail"),
        ("proxy_method GET;", "passes requests on as they came, and this changes them: logins fail"),
        ("proxy_next_upstream error timeout http_502;", "spends a one-shot login code"),
        ("sub_filter_types *;", "changes verification files too"),
        ("addition_types text/html text/plain;", "changes verification files too"),
        ("expires 1d;", "a login's may be kept by a browser"),
        ("add_header Access-Control-Allow-Origin *;", "browsers refuse two"),
        ("add_header Content-Length 0;", "nginx says it itself"),
        ("location /x/ { add_header Content-Length 0; }", "nginx says it itself"),
        ('set $args "";', "what visitors sent behind the question mark"),
        ("mirror /copy;", "each request goes out once more"),
        ("location /x/ { mirror /copy; }", "each request goes out once more"),
        ("ssi on;", "an upstream's pages would give this nginx orders"),
        ("proxy_redirect /a /b;", "redirects and cookies point at the school"),
        ("proxy_cookie_domain a b;", "redirects and cookies point at the school"),
        ("proxy_cookie_path / /x/;", "redirects and cookies point at the school"),
        ("proxy_buffering on;", "server-sent events wait"),
        ("proxy_cache zone;", "one visitor's page may be shown to another"),
        ("proxy_intercept_errors on;", "what an upstream answers passes as it is"),
        ("error_page 404 /x.html;", "the gateway's own pages, which carry the id of the log line, come first"),
        ("root /srv;", "publishes files wherever"),
        ("add_header Strict-Transport-Security max-age=1;", 'the site\'s "hsts" says it'),
        ("add_header X-Request-Id $request_id;", "says it already, with the id of the log line"),
        ("proxy_set_header X-Request-Id $request_id;", "sends that header already, and the upstream gets it twice"),
        ("set_real_ip_from 0.0.0.0/0;", 'the site\'s "slb_cidrs"'),
        ("real_ip_header X-Real-IP;", 'the site\'s "slb_cidrs"'),
        ("location /x/ { real_ip_recursive on; }", 'the site\'s "slb_cidrs"'),
        ("access_log /var/log/nginx/mine.log;", "writes query strings, which carry login codes"),
        ("access_log /var/log/nginx/mine.log combined;", "writes query strings"),
        ("access_log off;", "the id on an error page leads to no line"),
        ("error_log /var/log/nginx/mine.log debug;", "login codes too"),
        ("include /etc/nginx/mine.conf;", "is no part of a release"),
        ("location /x/ { include fastcgi_params; }", "is no part of a release"),
        ("access_by_lua_block { ngx.exit(403) }", "no deploy installs the module"),
        ("js_import x from y.js;", "no deploy installs the module"),
        ("location /x/ { content_by_lua_file /x.lua; }", "no deploy installs the module"),
        ("set $wecom_gateway_host x;", "the gateway's own variable"),
        *(
            (f"location /k/ {{ {text} }}", "publishes whatever nginx can read there")
            for text in (
                *("alias /;", "root /;", "alias /etc;", "alias /etc/nginx/wecom-gateway/;", "alias /var/;"),
                *("alias /var/log/nginx/;", "root /root;", "alias //home/ops/;", "alias /srv/../etc/;"),
                *("alias ../../../etc/;", "if ($x) { root /proc; }", "alias '/etc/a b/';"),
            )
        ),
        ("proxy_hide_header Set-Cookie;", "so that nobody can log in"),
        ("location /x/ { proxy_hide_header location; }", "so that nobody can log in"),
        ("proxy_pass_header X-Accel-Redirect;", "shows visitors what an upstream says to its own front"),
        ("proxy_pass_header Alt-Svc;", "brings back what an upstream promises about its own name"),
        ("location /x/ { proxy_ignore_headers Vary; }", "an upstream has a say over this nginx here"),
        ("location /up/ { root /srv; dav_methods PUT DELETE; }", "every visitor may write and delete files"),
        ("location /st { stub_status; }", "tells every visitor how busy this host is"),
        ("location /st { stub_status; deny 10.0.0.1; }", "tells every visitor how busy this host is"),
        ("location /st { stub_status; auth_basic off; }", "tells every visitor how busy this host is"),
        ("proxy_set_header X-Bkapi-Jwt $http_x_bkapi_jwt;", "sends on what a visitor says of himself"),
        ("proxy_set_header X-Forwarded-User ${arg_user};", "sends on what a visitor says of himself"),
        ("proxy_set_header Cookie '';", "upstreams get none then, so that nobody stays logged in"),
        ("proxy_set_header Cookie a=b$http_cookie;", "a secret has no place in this file"),
        ("location /o/ { allow 10.0.0.0/8; deny all; return 200 x; }", "is done before allow, deny and auth_basic"),
        ("location /o/ { auth_basic x; if ($x) { return 302 /y; } }", "is done before allow, deny and auth_basic"),
        ("location /x/ { absolute_redirect on; }", "nginx's own redirects would name plain http"),
        ("location ~ [.]txt$ { return 404; }", "a regular expression goes before every prefix"),
        ("location ~*[.]php$ { return 404; }", "a regular expression goes before every prefix"),
        ("location /api/ { proxy_pass http://10.0.0.1:8080/; }", "a route of the platform"),
        ("location /api/ { if ($x) { proxy_pass http://10.0.0.1:8080; } }", "a route of the platform"),
        ("location /php/ { fastcgi_pass 127.0.0.1:9000; }", "a route of the platform"),
        ("location /api/ { proxy_ssl_verify off; }", "nobody is sure then who answers"),
        ("location = /WW_verify_ZZZZZZZZZZZZZZZZ.txt { return 200 x; }", f"belongs into files/verify/{DOMAIN}/"),
        ("location /WW_verify_AbCdEfGhIjKlMnOp.txt { return 200 x; }", f"belongs into files/verify/{DOMAIN}/"),
        ("location /static { alias /srv/static/; }", "/static../ leads out of the folder"),
    ],
)
@pytest.mark.parametrize("kind", ["whole", "tls"])
def test_what_undoes_a_promise_is_told_with_its_line(told, text, words, kind):
    (found,) = told(f"# mine\n{text}\n", kind)
    severity, line = found
    assert severity == "warning"
    assert line.startswith(f'h1: {DOMAIN}: files/nginx/{DOMAIN}.conf:2: "')
    assert words in line


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *(("whole", f"location {path} {{ return 204; }}") for path in ("/", "^~ /", "= /healthz")),
        *(("wall", f"location {path} {{ return 204; }}") for path in ("/", "/o/itsm/weixin/", "= /o/itsm/weixin")),
        ("prefix", "location /bserver/ { return 204; }"),
        ("tls", f"location = /{VERIFY.name} {{ return 200 x; }}"),
        ("tls", f"location =/{VERIFY.name} {{ return 200 x; }}"),
        ("tls", "location = /.wecom-gateway-error { return 200 x; }"),
    ],
)
def test_a_location_that_the_gateway_has_cannot_work(told, kind, text):
    (found,) = told(text, kind)
    assert found[0] == "error"
    assert "the gateway has that location in the same server, and nginx takes it once" in found[1]


def test_the_load_balancers_page_is_only_there_behind_one(told):
    assert told("location = /healthz { return 200 ok; }", "tls") == []


@pytest.mark.parametrize("path", ["/o/itsm/weixin/x", "= /o/itsm/weixin/x", "^~ /o/itsm/static/weixin/css/"])
def test_a_location_inside_of_a_route_takes_its_requests_away(told, path):
    (found,) = told(f"location {path} {{ return 204; }}", "wall")
    assert found[0] == "warning"
    assert "takes requests of the route /o/itsm/" in found[1]


def test_the_page_where_an_app_begins_is_no_ones_but_a_routes(told):
    for path in ("/bsacs/", "/b", "= /bsacs/qyweixin.action"):
        (found,) = told(f"location {path} {{ return 204; }}")
        assert "takes the app's own entry page away" in found[1]
    # a shorter prefix than the route's leaves it its requests
    assert told("location /bser { return 204; }", "prefix") == []


def test_a_way_to_an_upstream_beside_a_wall_is_a_hole_in_it(told):
    (found,) = told("location /admin/ { proxy_pass https://paas.inner.example; }", "wall")
    assert "publishes inner paths beside those of the site's apps, such as /o/itsm/weixin/" in found[1]
    assert '"extra_paths"' in found[1]


def test_a_location_with_headers_of_its_own_loses_hsts_unless_it_says_it(told):
    text = "location /x/ {{ add_header X 1; {} return 204; }}"
    (found,) = told(text.format(""), "hsts")
    assert "these answers lack the site's HSTS" in found[1]
    assert told(text.format("add_header Strict-Transport-Security max-age=300;"), "hsts") == []


@pytest.mark.parametrize("header", STRIPPED)
def test_of_every_header_that_the_gateway_drops_it_is_told_where_it_is_sent_on(told, header):
    ((_, line),) = told(f"proxy_set_header {header} $http_{header.lower().replace('-', '_')};")
    assert "sends on what a visitor says of himself" in line


def test_an_empty_value_is_shown_as_one(told):
    assert "\"proxy_set_header Cookie ''\": upstreams get none" in told('proxy_set_header Cookie "";')[0][1]


@pytest.mark.parametrize("text", ["allow 10.0.0.0/8;", "deny 10.0.0.1;"])
def test_who_may_use_a_location_is_not_known_behind_a_load_balancer_that_is_not_believed(told, text):
    words = "judges the load balancer's address, which every visitor has here"
    (found,) = told(f"location /x/ {{ {text} }}", "unseen")
    assert words in found[1]
    assert 'the site\'s "slb_cidrs"' in found[1]
    assert any(words in line for _, line in told(text, "unseen"))
    for kind in ("whole", "tls"):
        assert told(f"location /x/ {{ {text} }}", kind) == []
    assert told("location /x/ { alias /srv/x/; allow 127.0.0.1; deny all; }", "unseen") == []


@pytest.mark.parametrize(
    "text",
    [
        "location = /robots.txt { return 200 hi; }",
        "location /x/ { alias /srv/x/; }",
        "location /x/ { deny all; alias /srv/x/; if ($y) { return 302 /z; } return 200 hi; }",
        "location /x/ { allow 10.0.0.0/8; alias /srv/x/; }",
    ],
)
def test_strangers_get_a_location_of_ones_own_unless_it_says_who_may(told, text):
    words = "who may not use the site gets this too"
    assert any(words in line for _, line in told(text, "allow"))
    assert not any(words in line for _, line in told(text, "tls"))


@pytest.mark.parametrize(
    "text",
    [
        "location /x/ { alias /srv/x/; allow 10.9.9.0/24; deny all; }",
        "location /x/ { alias /srv/x/; auth_basic x; auth_basic_user_file /srv/users; }",
        "location /x/ { return 404; }",
        "location /x/ { internal; alias /srv/x/; }",
        "location @mine { root /srv/x; }",
    ],
)
def test_strangers_get_nothing_from_one_that_does(told, text):
    assert told(text, "allow") == []


@pytest.mark.parametrize("text", ["set_real_ip_from 0.0.0.0/0;", "location /x/ { real_ip_recursive on; }"])
def test_behind_a_load_balancer_of_layer_4_its_own_key_is_named(told, text):
    ((_, line),) = told(text, "tls", proxy_protocol=True)
    assert 'the host\'s "proxy_protocol" is for that' in line
    assert "slb_cidrs" not in line
    # that of layer 7, beside it
    assert 'the site\'s "slb_cidrs" is for that' in told(text, "whole", proxy_protocol=True)[0][1]


def test_a_host_says_whether_it_is_behind_one(files):
    (files / "nginx").mkdir()
    (files / "nginx" / f"{DOMAIN}.conf").write_text("real_ip_header X-Real-IP;\n")
    data = {"platforms": PLATFORMS, "sites": [{"domain": DOMAIN, **KINDS["tls"]}], "proxy_protocol": ["10.0.0.0/24"]}
    _, problems = parse_host("h1", data, files, certificates=False)
    assert any('the host\'s "proxy_protocol" is for that' in str(one) for one in problems)


@pytest.mark.parametrize("name", ["proxy_redirect", "proxy_cookie_domain", "proxy_cookie_path"])
def test_the_rules_for_answers_cannot_be_switched_off_beside_them(told, name):
    ((severity, line),) = told(f"{name} off;")
    assert severity == "error"
    assert "nginx refuses it beside the gateway's rules" in line
    assert told(f"location /x/ {{ {name} off; }}") == []


def test_another_way_to_an_upstream_is_told_with_the_host_that_it_sends(told):
    ((_, line),) = told("location /api/ { proxy_pass http://10.0.0.1:8080/; }")
    assert "goes out with the upstream's own name as Host, and without the gateway's mapping" in line


ONCE = sorted({name for rule in RULES if rule.twice for name in rule.names})


@pytest.mark.parametrize("name", ONCE)
def test_what_the_gateway_says_already_cannot_be_said_again(told, name):
    values = {"proxy_buffers": "8 8k", "large_client_header_buffers": "4 8k"}
    (found,) = told(f"{name} {values.get(name, 'on')};", "tls")
    assert found[0] == "error"
    assert "nginx takes it once" in found[1]


def test_in_a_location_it_can(told):
    assert told("location /x/ { client_max_body_size 1m; keepalive_requests 5; proxy_read_timeout 9s; }") == []


def test_tls_behind_a_load_balancer_is_only_warned_of(told):
    (found,) = told("ssl_ciphers HIGH;")
    assert found[0] == "warning"


# Directives of a server block that nginx takes any number of times, or whose every use above is told.
_ADD_UP = {
    *(
        "access_log",
        "add_header",
        "set",
        "error_log",
        "error_page",
        "listen",
        "server_name",
        "ssl_certificate",
        "ssl_certificate_key",
    ),
    *("proxy_set_header", "proxy_hide_header", "proxy_ignore_headers", "proxy_redirect", "proxy_cookie_domain"),
    *("proxy_cookie_path", "proxy_ssl_conf_command", "set_real_ip_from", "real_ip_header", "real_ip_recursive"),
    *("ssl_protocols", "proxy_ssl_protocols", "proxy_next_upstream", "ssl_session_cache"),
}
# Of little use to anybody: nginx refuses them by name, file and line.
_LEFT_TO_NGINX = {"http2", "http2_max_field_size", "http2_max_header_size", "ssl_certificate_cache"}


def test_every_directive_of_a_server_is_known_to_add_up_to_yield_or_to_be_taken_once(http: Block):
    for server in own_servers(http):
        names = {name for name, _ in server.directives}
        if "proxy_ssl_verify" not in names:  # port 80 at edge tls
            continue
        assert names <= {*ONCE, *_ADD_UP, *_LEFT_TO_NGINX, *YIELDING}
        is_tls = "ssl_certificate" in names
        assert {name for name in ONCE if is_tls or not name.startswith("ssl_")} <= names


@pytest.mark.parametrize("page", ["own-directives.md", "own-directives.zh.md"])
def test_the_guides_examples_are_among_what_harms_nothing(told, page):
    examples = re.findall(r"```nginx\n(.*?)```", (REPO / "docs" / page).read_text(), re.DOTALL)
    assert len(examples) == 4
    for example in examples:
        for kind in ("whole", "prefix", "tls"):
            assert told(example, kind) == []
