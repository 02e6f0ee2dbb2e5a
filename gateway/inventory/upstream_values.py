"""Values about upstreams, checked one by one: each function raises ValueError with what is right."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from gateway.inventory import domain_names
from gateway.problems import shown

# nginx keeps the state of all of them in a piece of memory of a fixed size.
MOST_NODES = 16

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PATH = re.compile(r"/(?:[A-Za-z0-9._~-]+/)*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_CA = re.compile(r"files/ca/[A-Za-z0-9._-]+\.(?:pem|crt)")
# Inner networks have names of one label and with underscores, which no public domain may have.
_INNER_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*")
# What the C library takes for a part of an IPv4 address.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_EXAMPLE = "https://paas.inner.example"


def path(value: str) -> str:
    """A prefix that starts and ends with "/"."""
    if not _PATH.fullmatch(value) or any(part in (".", "..") for part in value.split("/")):
        raise ValueError(
            f'"{shown(value)}" is not a path prefix: it starts and ends with "/" and has only letters, '
            'digits, "-", ".", "_" and "~" between; for example "/bserver/"'
        )
    return value


def origin(value: str) -> str:
    """The URL of an upstream without a path."""
    if _url(value, ("https", "http")).path not in ("", "/"):
        raise ValueError(f'"{shown(value)}" carries a path; an origin is "{_EXAMPLE}"')
    return value.rstrip("/")


def prefix(value: str) -> str:
    """The URL of an upstream with a path that ends in "/"."""
    if not _url(value, ("https", "http")).path.endswith("/"):
        raise ValueError(f'"{shown(value)}" must end in "/", as its path does: prefixes are mapped slash for slash')
    return value


def certified_origin(value: str) -> str:
    """The https URL of a server that is known by a name."""
    host = host_of(_url(value, ("https",)))
    if address(host):
        raise ValueError(f'"{shown(value)}" names an IP address, which no certificate check accepts; use a name')
    domain_names.checked(host, "paas.inner.example")
    return value


def node(value: str) -> str:
    """An IP address, with a port or without, as nginx writes it."""
    example = 'right would be "10.0.0.8:8443" or "10.0.0.8"'
    _, scheme, rest = value.partition("://")
    if scheme:
        right = node(rest.partition("/")[0])
        raise ValueError(f'"{shown(value)}" is a URL, which only the upstream is; right would be "{right}"')
    host, colon, port = value.rpartition(":")
    if address(value) or not colon:
        host, port = value, ""
    elif ":" in host and not host.startswith("["):
        raise ValueError(f'"{shown(value)}" is not how a port stands behind IPv6; right would be "[fd00::8]:8443"')
    found = address(host)
    if found is None:
        raise ValueError(f'"{shown(value)}" is not an IP address, with a port or without; {example}')
    if _is_nobodys(found):
        raise ValueError(f'"{shown(value)}" is not the address of a server; {example}')
    if colon and not address(value) and not (_PORT.fullmatch(port) and int(port) <= 65535):
        raise ValueError(f'"{shown(value)}" has no valid port; {example}')
    return written(found) + (f":{port}" if port else "")


def nodes(values: tuple[str, ...], upstream: str | None) -> tuple[str, ...]:
    """Nodes of the upstream with that URL, None where it is wrong itself: none twice, and none by plain http in
    public."""
    if len(values) > MOST_NODES:
        raise ValueError(f"{len(values)} nodes; at most {MOST_NODES} are possible")
    parts = urlsplit(upstream or "")
    plain = parts.scheme == "http"
    full = [with_port(one, default_port(parts)) for one in values]
    for one in full:
        if full.count(one) > 1:
            raise ValueError(f"{one} stands twice; keep one")
        if plain and _is_public(address(one.rpartition(":")[0])):
            raise ValueError(f'"{one}" {_PUBLIC}')
    return values


def ca(value: str) -> str:
    """The path of an authority's file in the checkout."""
    if not _CA.fullmatch(value):
        raise ValueError(f'"{shown(value)}" is not a file of files/ca/; right would be "files/ca/inner.pem"')
    return value


_PUBLIC = (
    "is a public address, and by plain http everybody on the way there reads logins and changes answers; right would "
    "be https, or the address that the inner network has for it"
)


def _url(value: str, schemes: tuple[str, ...]) -> SplitResult:
    if "@" in value:
        raise ValueError("a user name or password must not stand in an upstream URL")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f'"{shown(value)}" is not a URL; right would be "{_EXAMPLE}"')
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(f'"{shown(value)}" has no valid host or port') from None
    if parts.scheme not in schemes or not value.startswith(f"{parts.scheme}://"):
        if schemes == ("https",):
            raise ValueError(
                f'"{shown(value)}" is not https: without TLS nothing proves who answers; right would be "{_EXAMPLE}"'
            )
        raise ValueError(f'"{shown(value)}" starts with neither https:// nor http://; right would be "{_EXAMPLE}"')
    if "?" in value or "#" in value:
        raise ValueError(f'"{shown(value)}" carries a query or fragment; leave it out, the visitor\'s own is passed on')
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError(f'"{shown(value)}" has no valid port; leave it out, or write one from 1 to 65535')
    host = host_of(parts)
    known = address(host)
    if known is None and ":" in host:
        raise ValueError(f'"{shown(value)}" has no address that nginx can ask; right would be "http://[fd00::8]:8080"')
    if known is None and not _INNER_NAME.fullmatch(host):
        domain_names.checked(host, "paas.inner.example")
    if known is None and _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise ValueError(f'"{shown(host)}" ends in a number; right would be "paas.inner.example" or "10.0.0.8"')
    if known is None and len(host) > domain_names.LONGEST:
        domain_names.checked(host, "paas.inner.example")
    if known is not None and _is_nobodys(known):
        raise ValueError(f'"{shown(value)}" is not the address of a server; right would be "http://10.0.0.8:8080"')
    if parts.scheme == "http" and _is_public(known):
        raise ValueError(f'"{shown(value)}" {_PUBLIC}')
    if parts.path:
        # that it ends in "/" is for the caller, who has all of the URL to show
        path(parts.path if parts.path.endswith("/") else f"{parts.path}/")
    return parts


def host_of(parts: SplitResult) -> str:
    """The host of a URL as it is written, without the brackets of IPv6."""
    host = parts.netloc.rpartition(":")[0] if parts.port is not None else parts.netloc
    return host.removeprefix("[").removesuffix("]") if host.startswith("[") else host


def default_port(parts: SplitResult) -> int:
    """The port of a URL, its scheme's where it names none."""
    return parts.port or (80 if parts.scheme == "http" else 443)


def address(text: str) -> Address | None:
    """The IP address that the text is, with or without square brackets; None where it is none."""
    try:
        found = ipaddress.ip_address(text[1:-1] if text.startswith("[") and text.endswith("]") else text)
    except ValueError:
        return None
    return None if found.version == 6 and found.scope_id else found


def written(one: Address) -> str:
    """The address as it stands before a port."""
    return f"[{one}]" if one.version == 6 else str(one)


def with_port(one: str, port: int) -> str:
    """A node with its port: its own, else `port`."""
    return f"{written(whole)}:{port}" if (whole := address(one)) else one


def _is_public(one: Address | None) -> bool:
    return one is not None and one.is_global


def _is_nobodys(one: Address) -> bool:
    # of a link-local IPv6 address nobody knows on which network it is
    here = one.version == 6 and one.is_link_local
    return one.is_unspecified or one.is_multicast or here or one == ipaddress.IPv4Address("255.255.255.255")
