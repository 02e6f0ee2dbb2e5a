"""Who answers behind a `proxy_pass`: its name, its nodes, and the Host that it gets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.adopt.directives import Finding, Placed, at, named, nearest
from gateway.adopt.mapping import LeftAloneError
from gateway.inventory import upstream_values

Levels = Sequence[Sequence[Placed]]

_URL = re.compile(r"(https?)://([^/]+)(/.*)?", re.DOTALL)
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
# What stands for the request as it came.
_AS_IT_CAME = ("$request_uri", "$uri$is_args$args")
_DOMAIN = ("$host", "$http_host", "$server_name")
_WITH_PORT = re.compile(r"(\$host|\$http_host|\$server_name):\$(server_port|proxy_port)")
_PORTS = {"http": "80", "https": "443"}
_BALANCING = ("ip_hash", "least_conn", "hash", "random", "least_time", "sticky", "fair")


@dataclass(frozen=True)
class Asked:
    """An upstream as a route has it: its `origin`, the path of `proxy_pass` (None where it has none), nodes, and whose
    name it gets. `told` is what will be different."""

    origin: str
    uri: str | None
    nodes: tuple[str, ...]
    host: Literal["upstream", "domain"]
    told: tuple[Finding, ...]


@dataclass(frozen=True)
class _Server:
    """An address or name with its port, as `proxy_pass` or an upstream block has it."""

    host: str
    port: str

    @property
    def is_address(self) -> bool:
        return upstream_values.address(self.host) is not None

    def written(self, scheme: str) -> str:
        return self.host if self.port == _PORTS[scheme] else f"{self.host}:{self.port}"


def asked(one: Placed, levels: Levels, upstreams: Mapping[str, Placed], domain: str) -> Asked:
    """What a `proxy_pass` asks at a site. `levels` are its location, server block and http block.

    Raises LeftAloneError where no route can say it.
    """
    scheme, authority, uri = _parts(one, levels)
    told: list[Finding] = []
    group = upstreams.get(authority)
    if group:
        servers = _servers(group, told)
        name = authority.lower()
    else:
        servers = [_server(authority, _PORTS[scheme])]
        name = ""
    sent, header = _sent(levels, domain)
    if header and (header.first and _WITH_PORT.fullmatch(header.arguments[1])):
        told.append(at(header, f"Host is {domain} without a port"))
    origin, nodes = _origin(one, scheme, servers, name, sent, levels)
    if sent == "upstream" and group and not nodes:
        told.append(at(one, f"the upstream gets its own name as Host, in place of {name}"))
    return Asked(f"{scheme}://{origin}", uri, nodes, "domain" if sent == "domain" else "upstream", tuple(told))


def _parts(one: Placed, levels: Levels) -> tuple[str, str, str | None]:
    """Scheme, host with port, and path of a `proxy_pass`, variables filled in where they are set to a text."""
    text = one.first
    known = {item.first.lstrip("$"): item.arguments[1] for level in reversed(levels) for item in _sets(level)}
    came = next((end for end in _AS_IT_CAME if text.endswith(end)), "")
    text = text.removesuffix(came)
    varies = bool(_VARIABLE.search(text))
    text = _VARIABLE.sub(lambda found: known.get(found[1], found[0]), text)
    found = _URL.fullmatch(text)
    if "$" in text:
        raise LeftAloneError(at(one, f'"{one.words}": who answers depends on a variable'))
    if not found:
        raise LeftAloneError(at(one, f'"{one.words}": is no http or https address'))
    if found[2].startswith("unix:"):
        raise LeftAloneError(at(one, f'"{one.words}": a socket of the host cannot be an upstream'))
    if found[3] and (came or varies):
        raise LeftAloneError(at(one, f'"{one.words}": a path beside a variable is no prefix'))
    return found[1], found[2], found[3]


def _sets(level: Sequence[Placed]) -> Iterator[Placed]:
    return (one for one in named(level, "set") if len(one.arguments) == 2 and "$" not in one.arguments[1])


def _server(text: str, port: str) -> _Server:
    host, colon, own = text.rpartition(":")
    if not colon or own.endswith("]"):
        return _Server(text.lower(), port)
    return _Server(host.lower(), own)


def _servers(group: Placed, told: list[Finding]) -> list[_Server]:
    """The servers of an upstream block. What it says about them that `nodes` cannot is told."""
    servers = []
    for one in group.inner:
        flags = {flag.partition("=")[0] for flag in one.arguments[1:]}
        if one.name in _BALANCING:
            told.append(at(one, f'"{one.name}" is gone: the nodes are asked in turn'))
        if one.name != "server" or not one.first or "down" in flags:
            continue
        if one.first.startswith("unix:"):
            raise LeftAloneError(at(one, f'"{one.first}": a socket of the host cannot be a node'))
        if "backup" in flags:
            raise LeftAloneError(at(one, f'"{one.words}": nodes are asked in turn, none of them is a backup'))
        if "weight" in flags:
            told.append(at(one, "weight is gone: every node gets as many requests as the others"))
        servers.append(_server(one.first, "80"))
    if not servers:
        raise LeftAloneError(at(group, f"upstream {group.first} has no server"))
    if len(servers) > 1 and not all(server.is_address for server in servers):
        raise LeftAloneError(at(group, f"upstream {group.first} has several names; nodes are addresses"))
    return servers


def _sent(levels: Levels, domain: str) -> tuple[str, Placed | None]:
    """The Host that goes out: "domain", "upstream" or the very name; and the directive that says so."""
    headers = [
        one for one in nearest(levels, "proxy_set_header") if len(one.arguments) == 2 and one.first.lower() == "host"
    ]
    if not headers:
        return "upstream", None
    one = headers[-1]
    value = one.arguments[1]
    if value in _DOMAIN or _WITH_PORT.fullmatch(value) or value.lower() == domain:
        return "domain", one
    if value in ("$proxy_host", "$proxy_host:$proxy_port"):
        return "upstream", one
    if not value or "$" in value:
        raise LeftAloneError(at(one, f"\"{one.words}\": Host is the site's domain or the upstream's own name"))
    return value.lower(), one


def _origin(
    one: Placed, scheme: str, servers: Sequence[_Server], group: str, sent: str, levels: Levels
) -> tuple[str, tuple[str, ...]]:
    """The name of the upstream, with a port where it is not the scheme's, and its nodes."""
    first = servers[0]
    if not first.is_address:
        own = first.written(scheme)
        if sent not in ("domain", "upstream", first.host, own):
            raise LeftAloneError(at(one, f"{first.host} gets another name as Host, {sent}; a route sends its own"))
        return own, ()
    nodes = tuple(server.written(scheme) for server in servers)
    verified = _verified(levels)
    if sent not in ("domain", "upstream"):
        return sent, nodes
    if scheme == "https":
        if not verified:
            text = (
                "https to an address: the gateway verifies a name; write proxy_ssl_name NAME beside it, as it stands "
            )
            raise LeftAloneError(at(one, f"{text}in the server's certificate"))
        return verified, nodes
    if len(nodes) == 1 and (sent == "domain" or not group):
        return nodes[0], ()
    return group, nodes


def _verified(levels: Levels) -> str:
    """The name that TLS towards the upstream is about, where it is said as a text."""
    names = [item.first for item in nearest(levels, "proxy_ssl_name")]
    return names[-1].lower() if names and "$" not in names[-1] else ""
