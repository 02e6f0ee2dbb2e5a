"""Server blocks of one domain as one site: its edge, its routes by port, and the values of its keys."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.adopt import parts
from gateway.adopt.directives import Finding, Placed, at
from gateway.adopt.parts import Part, Row
from gateway.adopt.platforms import Port

# Where the second listener of the campus card is; never the entry.
_SECOND = 9001


@dataclass
class Draft:
    """A site as its server blocks say it. Where `left` tells anything, it is none.

    `rows` are its routes, each with its port. `keys` are those of its entry that its routes do not matter for.
    """

    domain: str
    parts: Sequence[Part]
    edge: Literal["slb", "tls"] = "slb"
    rows: list[tuple[Port, Row]] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)
    wait: int = 0
    proxied: bool = False
    told: list[tuple[Part, Finding]] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)

    @property
    def serving(self) -> list[Part]:
        """Those of its server blocks that pass something on."""
        return [part for part in self.parts if part.rows]

    def differs(self, part: Part, text: str, one: Placed | None = None) -> None:
        """Something that will be different, said of a server block."""
        self.told.append((part, at(one or part.block.server, text)))


def merged(domain: str, found: Sequence[Part]) -> Draft:
    """The site that server blocks of a domain are together."""
    draft = Draft(domain, found)
    draft.left = [finding for part in found for finding in part.left]
    if draft.left:
        return draft
    if not draft.serving:
        first = found[0]
        only = all(part.redirects for part in found)
        text = (
            "sends visitors on to https, and nothing here answers them there"
            if only
            else "passes nothing on to another server: a site of files; routes pass on"
        )
        draft.left.append(at(first.block.server, text))
        return draft
    for part in found:
        # port 80 has verification files at every edge
        if not part.rows and not part.redirects and set(part.block.ports) != {80}:
            draft.left.append(at(part.block.server, "passes nothing on, beside server blocks that do: a site of files"))
    if not draft.left:
        _edge_and_routes(draft)
    if not draft.left:
        _keys(draft)
    return draft


def _edge_and_routes(draft: Draft) -> None:
    ports = {port: encrypted for part in draft.serving for port, encrypted in part.block.ports.items()}
    draft.edge = "tls" if any(ports.values()) else "slb"
    entry = 443 if draft.edge == "tls" else 80
    if draft.edge == "tls":
        odd = [port for port, encrypted in ports.items() if not encrypted and port != 80]
        if odd or ports.get(443) is False:
            plain = (odd or [443])[0]
            text = f"speaks plain http on port {plain}, and TLS on another; every port of a site is one or the other"
            draft.left.append(at(draft.serving[0].block.server, text))
            return
    elif 443 in ports:
        draft.left.append(at(draft.serving[0].block.server, "listens on 443 without TLS; there a site speaks TLS"))
        return
    elif 80 not in ports:
        others = [port for port in ports if port != _SECOND]
        if len(others) != 1:
            numbers = ", ".join(map(str, sorted(ports)))
            text = f"listens on {numbers}; at edge slb the load balancer's 443 has to come in on 80"
            draft.left.append(at(draft.serving[0].block.server, text))
            return
        entry = others[0]
        draft.differs(draft.serving[0], f"the load balancer's 443 has to come in on port 80, in place of {entry}")
    if draft.edge == "slb" and any(part.redirects for part in draft.serving):
        part = next(part for part in draft.serving if part.redirects)
        draft.left.append(at(part.block.server, "sends all plain http on to https, and has nothing else"))
        return
    if ports.get(80):
        draft.left.append(
            at(draft.serving[0].block.server, "speaks TLS on port 80; there the gateway speaks plain http")
        )
        return
    for part in draft.serving:
        _routes(draft, part, entry)
    if draft.edge == "tls":
        _by_plain_http_alone(draft)
    if draft.edge == "tls" and 443 not in ports:
        draft.differs(draft.serving[0], "port 443 is opened too, for verification files")


def _by_plain_http_alone(draft: Draft) -> None:
    """Routes that are there on port 80 and not on 443: by https nothing would answer there."""
    entries = {row.path: row.upstream for port, row in draft.rows if port == "entry"}
    for part in draft.serving:
        if set(part.block.ports) == {80} and not part.redirects:
            draft.left += (
                at(row.source, f"{row.path} is passed on by plain http alone, and the site speaks TLS")
                for row in part.rows
                if entries.get(row.path) != row.upstream
            )


def _routes(draft: Draft, part: Part, entry: int) -> None:
    plain = draft.edge == "tls" and part.block.ports.get(80) is False
    if plain and not part.redirects:
        draft.differs(part, "what came by http on port 80 is sent on to https")
    for port in part.block.ports:
        if draft.edge == "tls" and port == 80:
            continue
        for row in part.rows:
            label: Port = "entry" if port == entry else port
            same = [other for number, other in draft.rows if (number, other.path) == (label, row.path)]
            if same and same[0].upstream != row.upstream:
                draft.left.append(at(row.source, f"{row.path} on port {port} goes to {same[0].upstream} too"))
            elif not same:
                draft.rows.append((label, row))


def _keys(draft: Draft) -> None:
    told: list[Finding] = []
    if not draft.rows:
        draft.left.append(at(draft.serving[0].block.server, "passes nothing on by https, where the site would be"))
        return
    allows = {networks: one for part in draft.serving for networks, one in part.allows.items()}
    if len(allows) > 1:
        one = next(one for networks, one in allows.items() if networks)
        draft.left.append(at(one, 'lets some visitors use one part of the site alone; "allow" is for all of it'))
        return
    allow = next(iter(allows), ())
    if any(one in ("unix:", "127.0.0.1", "::1") for one in allow):
        allow = tuple(one for one in allow if one not in ("unix:", "127.0.0.1", "::1"))
    if allow:
        draft.keys["allow"] = list(networks(allow))
    first = draft.serving[0]
    proxies = dict.fromkeys(network for part in draft.parts for network in part.proxies)
    believed = list(networks(proxies))
    draft.proxied = any(one.proxied for part in draft.parts for one in part.block.listens)
    if draft.proxied and draft.edge == "slb":
        draft.left.append(
            at(first.block.server, "takes the PROXY protocol on a plain port; the gateway takes it at edge tls")
        )
        return
    if len(believed) < len(proxies):
        draft.differs(first, "set_real_ip_from names more than networks; name the load balancer's in slb_cidrs")
    if believed:
        draft.keys["slb_cidrs"] = believed
    elif draft.edge == "slb":
        text = (
            'no network of a load balancer is named, so X-Forwarded-For is believed from nobody; "slb_cidrs" names them'
        )
        draft.differs(first, text)
    body = parts.size([one for part in draft.serving for one in part.bodies], told)
    if body:
        draft.keys["max_body"] = body
    draft.wait = parts.seconds([one for part in draft.serving for one in part.waits])
    if hsts := max(part.hsts for part in draft.parts):
        draft.keys["hsts"] = hsts
    draft.told += ((first, finding) for finding in told)


def networks(texts: Sequence[str] | dict[str, None]) -> Iterator[str]:
    """Networks as keys have them; what is none, or everybody, is left out."""
    for text in texts:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            continue
        if network.prefixlen:
            yield str(network)
