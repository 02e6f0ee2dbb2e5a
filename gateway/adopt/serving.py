"""What one server block does at a site, read directive by directive."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.adopt import conditions
from gateway.adopt.blocks import Block
from gateway.adopt.directives import Placed, named, nearest
from gateway.adopt.locations import Locations
from gateway.adopt.parts import Part
from gateway.adopt.source import Source
from gateway.adopt.words import READ, SAID, blocking

_MAX_AGE = re.compile(r"max-age=\"?(\d+)", re.IGNORECASE)
_LONGEST_HSTS = 63_072_000
# Where the gateway says the opposite for all sites, and what that is to visitors.
_OTHERWISE = (
    (
        "underscores_in_headers",
        "on",
        "request headers with _ in their names are no longer passed on; ask whether an app sends any",
    ),
    (
        "ignore_invalid_headers",
        "off",
        "request headers with odd names are no longer passed on; ask whether an app sends any",
    ),
    ("merge_slashes", "off", "// in a path counts as one slash"),
)
_OLD_TLS = ("TLSv1", "TLSv1.1", "SSLv2", "SSLv3")


def part(domain: str, block: Block, upstreams: Mapping[str, Placed], source: Source) -> Part:
    """The server block as a part of the domain's site."""
    found = Part(domain, block)
    locations = Locations(found, upstreams, source)
    for one in block.directives:
        _server_level(one, found, locations)
    for one in block.http:
        # what stands at http level counts for every server block
        if one.name in ("auth_basic", "auth_request", "ssl_client_certificate", "ssl_verify_client") and (
            why := blocking(one)
        ):
            found.leaves(one, f'"{one.words}" {why}')
    if not named(block.directives, "add_header"):
        found.own += named(block.http, "add_header")
    locations.read()
    _listeners(found)
    _encryption(found)
    _balancer(found)
    _hsts(found)
    _otherwise(found)
    return found


def _server_level(one: Placed, found: Part, locations: Locations) -> None:
    if one.name == "if":
        if not locations.passes_over(one):
            found.leaves(one, f'"{one.words}" {blocking(one)}')
    elif one.name in ("return", "rewrite"):
        if conditions.is_to_https(one, found.domain):
            found.redirects = True
            if any(found.block.ports.values()):
                found.leaves(one, f'"{one.words}": sends visitors by https to the same place')
        elif one.name == "return" and found.redirects and one.first[:1] == "4":
            pass  # for requests that were not sent on, of which there are none
        elif one.name == "return":
            found.leaves(one, f'"{one.words}": answers every request itself; routes pass on')
        else:
            found.leaves(one, f'"{one.words}" {blocking(one)}')
    elif why := blocking(one):
        found.leaves(one, f'"{one.words}" {why}')
    elif one.name in SAID:
        found.said[one.name] = one
    elif one.name not in READ or (one.name == "set" and "$" in "".join(one.arguments[1:])):
        found.own.append(one)


def _listeners(found: Part) -> None:
    block = found.block
    for one, text in zip(named(block.directives, "listen"), block.listens, strict=False):
        if text.quic:
            found.differs(one, "HTTP/3 is gone")
        if text.port == 0 or text.port > 65535:
            found.leaves(one, f'"{one.words}": is no port, or several')


def _encryption(found: Part) -> None:
    levels = (found.block.directives, found.block.http)
    if not any(found.block.ports.values()):
        return
    for one in nearest(levels, "ssl_protocols"):
        if old := [word for word in one.arguments if word in _OLD_TLS]:
            found.differs(one, f"{', '.join(old)} {'is' if len(old) == 1 else 'are'} gone: TLS 1.2 and 1.3 alone")
    found.certificates = tuple(
        one.first for one in (*nearest(levels, "ssl_certificate"), *nearest(levels, "ssl_certificate_key"))
    )


def _balancer(found: Part) -> None:
    """The networks that are believed about visitors."""
    levels = (found.block.directives, found.block.http)
    networks = nearest(levels, "set_real_ip_from")
    header = [one.first.lower() for one in nearest(levels, "real_ip_header")]
    proxied = any(one.proxied for one in found.block.listens)
    if networks and header[-1:] == ["proxy_protocol"] and not proxied:
        return
    if networks and header[-1:] not in (["x-forwarded-for"], ["proxy_protocol"]):
        where = header[-1] if header else "X-Real-IP"
        text = f"visitors' addresses came in {where}; the gateway takes them from X-Forwarded-For"
        found.differs(networks[0], text)
    found.proxies = tuple(one.first for one in networks)


def _hsts(found: Part) -> None:
    for one in [one for one in found.own if one.name == "add_header"] + [
        item for block in found.inner for item in block if item.name == "add_header"
    ]:
        if one.first.lower() == "strict-transport-security" and len(one.arguments) > 1:
            if age := _MAX_AGE.search(one.arguments[1]):
                found.hsts = max(found.hsts, min(int(age[1]), _LONGEST_HSTS))
            if ";" in one.arguments[1]:
                found.differs(one, "HSTS is for this name alone, without includeSubDomains and preload")
            found.own = [item for item in found.own if item is not one]
            found.inner = [tuple(item for item in block if item is not one) for block in found.inner]


def _otherwise(found: Part) -> None:
    for name, value, text in _OTHERWISE:
        for one in nearest((found.block.directives, found.block.http), name):
            if one.first == value:
                found.said.pop(name, None)
                found.differs(one, text)
