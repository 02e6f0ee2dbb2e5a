"""The mistakes that newcomers make most: each is one message that says what to write instead."""

from __future__ import annotations

import pytest

from gateway.fleet.parsing import parse_host

from .conftest import PLATFORMS

GOOD = {"domain": "wx.school.edu.cn", "edge": "slb", "platform": "wanxiao_prod", "slb_cidrs": ["10.0.0.0/24"]}
BK = {"upstream": "https://paas.inner.example", "apps": ["bk_itsm"]}


def _site(**change: object) -> dict[str, object]:
    return {**GOOD, **change}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param(
            _site(domain="https://WX.a.edu.cn:9001/x?y=1"),
            'https://WX.a.edu.cn:9001/x?y=1: domain: "https://WX.a.edu.cn:9001/x?y=1" carries a scheme; '
            'right would be "wx.a.edu.cn"',
            id="the URL instead of the domain",
        ),
        pytest.param(
            _site(domain="*.school.edu.cn"),
            '*.school.edu.cn: domain: "*.school.edu.cn" is a wildcard; every sub-domain is an entry of its own; '
            'right would be "wx.school.edu.cn"',
            id="a wildcard, as certificates have",
        ),
        pytest.param(
            _site(domain="wx.school.edu.cn:9001"),
            'wx.school.edu.cn:9001: domain: "wx.school.edu.cn:9001" carries a port; ports follow from the '
            'platform\'s routes; right would be "wx.school.edu.cn"',
            id="a port in the domain",
        ),
        pytest.param(
            _site(edge="SLB"),
            "wx.school.edu.cn: edge: 'SLB' is not possible; right would be 'slb' or 'tls'; did you mean \"slb\"?",
            id="capitals",
        ),
        pytest.param(
            _site(platform="wanxiao-prod"),
            "wx.school.edu.cn: platform: 'wanxiao-prod' is unknown; did you mean \"wanxiao_prod\"?",
            id="a platform misspelt",
        ),
        pytest.param(
            _site(slb_cidr=["10.0.0.0/24"]),
            'wx.school.edu.cn: slb_cidr: unknown key; did you mean "slb_cidrs"?',
            id="a key misspelt",
        ),
        pytest.param(
            _site(slb_cidrs="10.0.0.0/24"),
            "wx.school.edu.cn: slb_cidrs: '10.0.0.0/24' is not a list; right would be ['10.0.0.0/24']",
            id="no brackets around the only one",
        ),
        pytest.param(
            _site(slb_cidrs=["10.0.0.7/24"]),
            'wx.school.edu.cn: slb_cidrs[0]: "10.0.0.7/24" has bits set after its prefix; right would be "10.0.0.0/24"',
            id="a host address with the network's prefix",
        ),
        pytest.param(
            _site(cert="files"),
            "wx.school.edu.cn: cert: behind an SLB the load balancer holds the certificate; "
            'remove "cert" or set edge "tls"',
            id="a certificate behind the load balancer",
        ),
        pytest.param(
            _site(platform="bkitsm"),
            'wx.school.edu.cn: bk: missing; platform "bkitsm" needs it, for example '
            '{"upstream": "https://paas.inner.example", "apps": ["bk_itsm"]}',
            id="BlueKing without its settings",
        ),
        pytest.param(
            _site(platform="bkitsm", bk={**BK, "upstream": "http://8.8.8.8:8080"}),
            'wx.school.edu.cn: bk.upstream: "http://8.8.8.8:8080" is a public address, and by plain http everybody on '
            "the way there reads logins and changes answers; right would be https, or the address that the inner "
            "network has for it",
            id="plain http to a public address",
        ),
        pytest.param(
            _site(wecom={"trusted_ips": "120.27.208.144;120.27.208.145"}),
            'wx.school.edu.cn: wecom.trusted_ips: is one string; right would be ["120.27.208.144", "120.27.208.145"]',
            id="trusted IPs as WeCom's form takes them",
        ),
        pytest.param(
            _site(wecom={"trusted_ips": ["120.27.208.144", "120.27.208.144"]}),
            "wx.school.edu.cn: wecom.trusted_ips: 120.27.208.144 stands twice; keep one",
            id="a trusted IP twice",
        ),
        pytest.param(
            _site(wecom={"trusted_ips": [f"120.27.{number}.1" for number in range(121)]}),
            "wx.school.edu.cn: wecom.trusted_ips: 121 addresses; WeCom takes at most 120 for one app",
            id="too many trusted IPs",
        ),
        pytest.param(
            _site(wecom={"trusted_ips": ["10.0.0.5"]}),
            'wx.school.edu.cn: wecom.trusted_ips[0]: "10.0.0.5" is not a public address; '
            "WeCom sees the public egress address of the caller",
            id="the inner address of the platform's server",
        ),
        pytest.param(
            _site(wecom={"agent_id": "my app"}),
            "wx.school.edu.cn: wecom.agent_id: is not an AgentId (a number); copy it from the app's page in WeCom, "
            "for example 1000002",
            id="the app's name instead of its AgentId",
        ),
        pytest.param(
            _site(wecom={"secret": "do-not-show"}),
            "wx.school.edu.cn: wecom.secret: a secret never stands in an inventory; "
            "remove it and set it where the app's server keeps its secrets",
            id="the app's Secret",
        ),
        pytest.param(
            _site(wecom={"corp_id": "do-not-show-this-it-is-43-characters-long-as"}),
            "wx.school.edu.cn: wecom.corp_id: is not a CorpID (letters and digits, at most 32); copy it from the "
            'WeCom admin console, My Company, for example "ww1234567890abcdef". The app\'s Secret never stands in an '
            "inventory",
            id="the Secret in the place of the CorpID",
        ),
        pytest.param(
            _site(wecom={"oauth_domain": "wx.school.edu.cn:9001"}),
            "wx.school.edu.cn: wecom.oauth_domain: WeCom's trusted domain and OAuth callback domain are "
            "the site's domain, without a port; remove the key",
            id="a callback domain of its own",
        ),
        pytest.param(
            _site(wecom="ww1234567890abcdef"),
            'wx.school.edu.cn: wecom: is not a dict; right would be one with keys from "corp_id", "agent_id", "flag", '
            '"trusted_ips"',
            id="a value where a dict is meant",
        ),
    ],
)
def test_a_typical_mistake_is_one_message_with_the_remedy(parse, entry, message):
    host, problems = parse(entry)
    assert host is None
    assert problems == [f"h1: {message}"]


@pytest.mark.parametrize(
    ("platform", "message"),
    [
        (
            {"routes": [{"port": "9001", "path": "/", "upstream": "https://a.example/"}]},
            '.routes[0].port: "9001" is text; right would be 9001, without quotes',
        ),
        (
            {"routes": [{"port": "entry", "path": "/", "upstrem": "https://a.example/"}]},
            '.routes[0].upstrem: unknown key; did you mean "upstream"?',
        ),
        (
            {"routes": "bkk"},
            '.routes: \'bkk\' is neither "bk" nor a list of rows; did you mean "bk"?; '
            'a row is {"port": "entry", "path": "/", "upstream": "https://platform.example/"}',
        ),
        (
            {"routes": "bk", "app_path": "/index?flag={flg}"},
            '.app_path: "/index?flag={flg}" must be relative to the entry route\'s path; '
            'right would be "app/index.html?flag={flag}"',
        ),
        (
            {"routes": "bk", "app_path": "index?flag={flg}"},
            '.app_path: "index?flag={flg}" has braces around something else than flag; '
            'right would be "app/index.html?flag={flag}"',
        ),
    ],
)
def test_a_mistake_in_a_platform_is_told_in_its_place_and_not_again_for_every_site(parse, platform, message):
    _, problems = parse({**GOOD, "platform": "own"}, platforms={"own": platform})
    assert f'h1: platforms["own"]{message}' in problems
    assert not any("is unknown" in problem for problem in problems)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        *(
            ([name], f'[0]: "{name}" is set by the gateway for every site; remove it')
            for name in (
                "connection",
                "Upgrade",
                "X-Real-IP",
                "x-forwarded-for",
                "X-Forwarded-Host",
                "X-Forwarded-Proto",
                "X-Request-Id",
            )
        ),
        *(
            ([name], f'[0]: "{name}" is part of how a message is sent; right would be a header of the platform\'s')
            for name in (
                "Content-Length",
                "transfer-encoding",
                "TE",
                "Trailer",
                "Keep-Alive",
                "Expect",
            )
        ),
        *(
            ([name], f"[0]: \"{name}\" is the visitor's own; right would be a header of the platform's")
            for name in ("Cookie", "authorization")
        ),
        (["X-A", "X-B", "x-a"], ': "x-a" stands twice; keep one'),
        (["X-A", "cookie"], '[1]: "cookie" is the visitor\'s own'),
        (["X A"], "[0]: "),
    ],
)
def test_a_header_that_cannot_carry_the_domain_is_refused(parse, names, message):
    platform = {**PLATFORMS["wanxiao_prod"], "domain_headers": names}
    host, problems = parse(GOOD, platforms={"wanxiao_prod": platform})
    assert host is None
    (problem,) = problems
    assert problem.startswith(f'h1: platforms["wanxiao_prod"].domain_headers{message}')


def test_headers_of_a_platforms_own_may_carry_the_domain(parse):
    platform = {**PLATFORMS["wanxiao_prod"], "domain_headers": ["X-Forwarded-Weixin-Host", "X-Original-Host"]}
    host, _ = parse(GOOD, platforms={"wanxiao_prod": platform})
    assert host.sites[0].domain_headers == ("X-Forwarded-Weixin-Host", "X-Original-Host")


@pytest.mark.parametrize("key", ["=x", "=bk", "=", "", ".", "0"])
def test_an_unknown_key_is_told_however_it_is_written(parse, key):
    _, problems = parse({**GOOD, key: 1})
    assert len(problems) == 1
    assert "unknown key" in problems[0]


def test_a_platform_that_is_no_dict_is_told(parse):
    _, problems = parse(GOOD, platforms={"own": "bk"})
    assert problems[0].startswith('h1: platforms["own"]: is not a dict; right would be one with keys from "routes"')


def test_a_host_key_misspelt_is_named(files):
    _, (problem,) = parse_host("h1", {"platforms": PLATFORMS, "site": [GOOD]}, files)
    assert str(problem) == (
        'h1: sites: missing, but "site" is there; right would be [{"domain": "wx.school.edu.cn", "edge": "slb"}]'
    )


@pytest.mark.parametrize("value", [0, False, [], "", {}])
def test_a_platform_that_is_none_is_told_and_not_taken_for_the_groups(parse, value):
    host, problems = parse({**GOOD, "platform": value}, platform="wanxiao_prod")
    assert host is None
    known = ", ".join(f'"{name}"' for name in sorted(PLATFORMS))
    assert problems == [f"h1: wx.school.edu.cn: platform: {value!r} is unknown; use one of {known}"]


@pytest.mark.parametrize("value", [0, False, [], ""])
def test_a_groups_platform_that_is_none_is_told(parse, value):
    _, problems = parse({**GOOD, "platform": None}, platform=value)
    assert len(problems) == 1
    assert f"platform: {value!r} is unknown" in problems[0]


def test_a_site_may_say_none_for_the_groups_platform(parse):
    host, _ = parse({**GOOD, "platform": None}, platform="wanxiao_test")
    assert host.sites[0].platform == "wanxiao_test"


@pytest.mark.parametrize("name", ["lib/v2", "a\nnonsense on;", "../../x", "", "a" * 65, "图书馆", 5, None, ("a", "b")])
def test_a_platforms_name_that_no_file_may_have_is_refused(parse, name):
    routes = [{"port": "entry", "path": "/", "upstream": "https://a.example/"}]
    host, problems = parse({**GOOD, "platform": name}, platforms={**PLATFORMS, name: {"routes": routes}})
    assert host is None
    told = [problem for problem in problems if problem.startswith("h1: platforms: ")]
    assert len(told) == 1, problems
    assert "is not a platform's name" in told[0]
    assert 'right would be "my_platform"' in told[0]
    assert "\n" not in told[0]
    # and where it is text, not a second time for the site that has it
    assert len(problems) == (1 if isinstance(name, str) else 2)


def test_a_platform_is_looked_for_among_names_of_any_kind(parse):
    _, problems = parse({**GOOD, "platform": "nope"}, platforms={5: {"routes": "bk"}, "own": {"routes": "bk"}})
    assert any("'nope' is unknown" in problem for problem in problems)


@pytest.mark.parametrize("platform", ["nope", None])
def test_without_any_platform_no_list_of_them_is_promised(parse, platform):
    _, (problem,) = parse({**GOOD, "platform": platform}, platforms={})
    assert problem.endswith("there is none to choose from")


@pytest.mark.parametrize("value", [None, "", {}, 5, {"10.0.0.0/24"}])
def test_what_cannot_stand_in_a_list_is_not_offered_as_its_member(parse, value):
    _, (problem,) = parse({**GOOD, "slb_cidrs": value})
    assert problem == (
        f"h1: wx.school.edu.cn: slb_cidrs: {value!r} is not a list; right would be a list in square brackets"
    )


def test_a_sites_key_that_is_no_text_is_told(parse):
    _, (problem,) = parse({**GOOD, 5: 1})
    assert problem == "h1: wx.school.edu.cn: [5]: is read by nobody; keys are text in quotes"
