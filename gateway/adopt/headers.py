"""Request headers that a hand-written configuration sends to an upstream, as a platform says them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.adopt.directives import Finding, Placed, at, nearest
from gateway.inventory import header_values
from gateway.problems import shown


def _words(text: str) -> list[str]:
    return text.split()


# Those that the gateway sends in any case, or decides about.
_SENT = frozenset(
    _words(
        "host connection upgrade x-real-ip x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-scheme "
        "x-forwarded-port x-forwarded-ssl x-forwarded-server x-scheme remote-host remote-port x-real-port "
        "x-request-id content-length transfer-encoding te"
    )
)
_DOMAIN = ("$host", "$http_host", "$server_name")


@dataclass
class Sent:
    """Further request headers of a location.

    `domain` are those with the site's domain, `texts` those with a text, `others` what only nginx's own words say.
    """

    domain: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    others: list[Placed] = field(default_factory=list)
    told: list[Finding] = field(default_factory=list)


def sent(levels: Sequence[Sequence[Placed]], domain: str, path: str) -> Sent:
    """The headers that go out from a location at `path`, whose `levels` go outwards."""
    found = Sent()
    for one in nearest(levels, "proxy_set_header"):
        if len(one.arguments) != 2 or one.first.lower() in _SENT:
            continue
        name, value = one.arguments
        try:
            header_values.name(name)
            if value in _DOMAIN or value.lower() == domain:
                found.domain.append(name)
            elif value and "$" not in value:
                text = "{path}" if value.rstrip("/") == path.rstrip("/") else value.replace(domain, "{domain}")
                header_values.pairs({name: text})
                found.texts[name] = text
            else:
                found.others.append(one)
        except ValueError as error:
            found.told.append(at(one, f"{shown(name)} is no longer sent: {error}"))
    return found
