"""Where a redirect leads, and whether login survives it."""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qs, urlsplit

from gateway.inventory.site import Site
from gateway.outside.findings import Fault

# Login goes through these and comes back.
_WECOM = "weixin.qq.com"
# Second-level labels under which schools and companies register: `a.edu.cn` and `b.edu.cn` have different owners.
_REGISTRIES = {"ac", "co", "com", "edu", "gov", "mil", "net", "org"}
# An application of which only the mobile pages are published sends whoever it takes for somebody else to its login.
_BEHIND_A_WALL = (
    "the application takes nobody who comes by {} for a visitor of its WeCom pages: have its own settings name the "
    "domain (the handover sheet lists them); publish no login page of the inner platform instead"
)


def location_fault(location: str, site: Site) -> Fault | None:
    """What is wrong with the `Location` of a redirect that `site` answers; None where nothing is.

    Query strings stay out of the text: they carry login codes.
    """
    try:
        parts = urlsplit(location)
        port = parts.port
    except ValueError:
        return Fault("the redirect's Location is not a URL", "ask the platform's staff what it should be")
    host = parts.hostname
    if host is None:
        return None
    behind_a_wall = any(route.guarded for route in site.routes)
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if host == site.domain:
        return _own_domain_fault(shown, parts, port, site)
    if host in {name for route in site.routes for name in route.upstream.hosts}:
        return Fault(
            f"redirects to {shown}, the platform's own name, which WeCom does not open under the school's domain",
            _BEHIND_A_WALL.format(site.domain)
            if behind_a_wall
            else "no route of this site covers that URL: add one to the platform (group_data/all.py), or ask the "
            "platform's staff why it is named",
        )
    if host == _WECOM or host.endswith(f".{_WECOM}"):
        return _login_fault(parts, site)
    if _same_owner(host, site.domain):
        return None
    return Fault(
        f"redirects to {shown}, away from {site.domain}",
        "find out who sends it (the load balancer, another site on the host, or the platform) and have it stay "
        "on the domain" + (f"; of a login page: {_BEHIND_A_WALL.format(site.domain)}" if behind_a_wall else ""),
    )


def _own_domain_fault(shown: str, parts: SplitResult, port: int | None, site: Site) -> Fault | None:
    public = {route.port for route in site.routes if route.port != site.entry_port}
    if parts.scheme not in ("https", ""):
        return Fault(
            f"redirects to {shown}, plain {parts.scheme}: a phone would leave TLS",
            "have who sends it (the load balancer or the platform) write https",
        )
    if port is not None and port not in public:
        return Fault(
            f"redirects to {shown}: WeCom compares the port too, and login ends with error 50001",
            "have who sends it leave the port out",
        )
    return None


def _login_fault(parts: SplitResult, site: Site) -> Fault | None:
    """WeCom's login page must be told to come back to the domain, without a port."""
    for target in parse_qs(parts.query).get("redirect_uri", []):
        try:
            back = urlsplit(target)
            there, right = back.netloc, back.hostname == site.domain and back.port is None
        except ValueError:
            there, right = "", False
        if not right:
            return Fault(
                f"sends users to WeCom's login, to come back to {there or 'nowhere'} (redirect_uri) instead of "
                f"{site.domain}: login ends with error 50001",
                "set the domain, without a port, in the platform's own settings",
            )
    return None


def _same_owner(host: str, domain: str) -> bool:
    """Whether `host` lies under the parent of `domain`: cas.school.edu.cn beside wx.school.edu.cn.

    Single sign-on usually lives on such a sibling.
    """
    parent = domain.partition(".")[2]
    labels = parent.split(".")
    if len(labels) < 2 or (len(labels) == 2 and labels[0] in _REGISTRIES):
        return False
    return host == parent or host.endswith(f".{parent}")
