"""The values of an inventory, each checked by itself: types for the models of gateway/inventory/model.py.

A value that passes can stand as a token in an nginx configuration or a shell command: every string type below
admits only characters that are inert in both. Each refusal is a ValueError that says what would be right.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StrictStr

from gateway.inventory import acme_values, domain_names, listener, network_values, wecom_values
from gateway.inventory.domain_names import LONGEST, is_ip, is_name
from gateway.problems import did_you_mean, shown

_PATH = re.compile(r"/(?:[A-Za-z0-9._~-]+/)*")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Where sshd listens unless it is told otherwise; browsers open no page there either.
SSH_PORT = 22
_SIZE = re.compile(r"([1-9][0-9]{0,5})([kmg]?)")


def _host_name(value: str, example: str) -> str:
    """A DNS name in lower case.

    Raises ValueError saying what kind of other thing it is, and what is right: the name inside it, or the example.
    """
    meant, plain = domain_names.corrected(value), domain_names.plain(value)
    example = meant or example
    checks = [
        ("://" in value, "carries a scheme"),
        ("/" in value, "carries a path"),
        (meant is not None and (" " in value or "\t" in value), "has a space"),
        (
            not value.isascii() and plain.isascii(),
            "has full-width or invisible characters, as Chinese input makes them",
        ),
        (not value.isascii() and meant is not None, "is in Chinese or another script; DNS knows it in Punycode"),
        ("*" in value, "is a wildcard; every sub-domain is an entry of its own"),
        ("_" in value, "has an underscore, which WeCom refuses in a trusted domain"),
        (value != value.lower(), f'has capitals; write "{value.lower()}"'),
        (value.endswith("."), "ends in a dot"),
        (is_ip(value), "is an IP address; WeCom accepts only ICP-filed domain names"),
        (":" in value, "carries a port; ports follow from the platform's routes"),
    ]
    for wrong, reason in checks:
        if wrong:
            raise ValueError(f'"{shown(value)}" {reason}; right would be "{example}"')
    if len(value) > LONGEST:
        raise ValueError(
            f'"{shown(value)}" has {len(value)} characters; at most {LONGEST} are possible, because files are '
            f'named after it; right would be "{example}"'
        )
    if not is_name(value):
        raise ValueError(
            f'"{shown(value)}" is not a full host name (labels of letters, digits and hyphens, '
            f'joined by dots); right would be "{example}"'
        )
    if value.rpartition(".")[2].isdigit():
        raise ValueError(f'"{shown(value)}" ends in a number; right would be "{example}"')
    return value


def _domain(value: str) -> str:
    return _host_name(value, "wx.school.edu.cn")


def _code(value: str) -> str:
    if not _CODE.fullmatch(value):
        raise ValueError(f'"{shown(value)}" is not an app code (letters, digits, "-" and "_"); for example "bk_itsm"')
    return value


def platform_name(value: Any) -> str:
    """The name of a platform, which files on a host are named after."""
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise ValueError(
            f'{shown(repr(value))} is not a platform\'s name (at most 64 letters, digits, "-" and "_"); '
            'right would be "my_platform"'
        )
    return value


def _path(value: str) -> str:
    if not _PATH.fullmatch(value) or any(part in (".", "..") for part in value.split("/")):
        raise ValueError(
            f'"{shown(value)}" is not a path prefix: it starts and ends with "/" and has only letters, '
            'digits, "-", ".", "_" and "~" between; for example "/bserver/"'
        )
    return value


def _whole_prefix(value: str) -> str:
    if _path(value) == "/":
        raise ValueError('"/" would publish the whole inner platform; name the prefix, like "/o/itsm/jsi18n/"')
    return value


def _size(value: str) -> str:
    match = _SIZE.fullmatch(value)
    if not match:
        raise ValueError(f'"{shown(value)}" is not a size; right would be "50m", "200m" or "1g"')
    return value


def _https_url(value: str) -> str:
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f'"{shown(value)}" is not a URL; right would be "https://paas.inner.example"')
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(f'"{shown(value)}" has no valid host or port') from None
    if parts.scheme != "https":
        raise ValueError(
            f'"{shown(value)}" is not https: without TLS nothing proves who answers; '
            'right would be "https://paas.inner.example"'
        )
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user name or password must not stand in an upstream URL")
    if "?" in value or "#" in value:
        raise ValueError(f'"{shown(value)}" carries a query or fragment; leave it out, the visitor\'s own is passed on')
    if port == 0:
        raise ValueError(f'"{shown(value)}" has port 0')
    host = parts.netloc.rsplit(":", 1)[0] if port is not None else parts.netloc
    if is_ip(host):
        raise ValueError(f'"{shown(value)}" names an IP address, which no certificate check accepts; use a name')
    _host_name(host, "paas.inner.example")
    if parts.path:
        _path(parts.path)
    return value


def _origin(value: str) -> str:
    _https_url(value)
    if urlsplit(value).path not in ("", "/"):
        raise ValueError(f'"{shown(value)}" carries a path; an origin is "https://paas.inner.example"')
    return value.rstrip("/")


def _upstream_prefix(value: str) -> str:
    _https_url(value)
    if not urlsplit(value).path.endswith("/"):
        raise ValueError(f'"{shown(value)}" must end in "/", as its path does: prefixes are mapped slash for slash')
    return value


def _public_ipv4(value: str) -> str:
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        raise ValueError(
            f'"{shown(value)}" is not one IPv4 address; WeCom takes no ranges, names or IPv6, '
            'for example "120.27.208.144"'
        ) from None
    if not address.is_global:
        raise ValueError(f'"{value}" is not a public address; WeCom sees the public egress address of the caller')
    return value


def _route_port(value: Any) -> Any:
    right = 'right would be "entry" for the default port, or a number like 9001'
    if isinstance(value, str) and value.isdecimal():
        raise ValueError(f'"{value}" is text; right would be {int(value)}, without quotes')
    if isinstance(value, str) and value != "entry":
        raise ValueError(f'"{shown(value)}" is not a port; {right}')
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(f"{value!r} is not a port; {right}")
    if isinstance(value, int) and not 1 <= value <= 65535:
        raise ValueError(f"{value} is not a port: it must be greater than or equal to 1 and at most 65535")
    if value == SSH_PORT:
        raise ValueError(f"{value} is SSH's port, on which nginx cannot listen and browsers open nothing; {right}")
    return value


def routes(value: Any) -> Any:
    if value == "bk" or isinstance(value, (list, tuple)):
        return value
    hint = f"; {did_you_mean(value, ['bk'])}" if isinstance(value, str) else ""
    raise ValueError(
        f'{value!r} is neither "bk" nor a list of rows{hint}; '
        'a row is {"port": "entry", "path": "/", "upstream": "https://platform.example/"}'
    )


# Headers that the templates set for every site (snippets/headers.conf.j2, `identity` in macros.j2): nginx would send
# one that is set again twice.
_SET_ANYWAY = frozenset(
    ("host", "connection", "upgrade", "x-real-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto")
)
# Headers that say where a message ends and how it is sent: with a domain in one no platform could read the message.
_FRAMING = frozenset(("content-length", "transfer-encoding", "te", "trailer", "keep-alive", "expect"))
# Headers that belong to the visitor.
_VISITORS = frozenset(("cookie", "authorization"))


def _header_name(value: str) -> str:
    """The name of a request header that can carry the public domain, refused where it has another use."""
    name = value.lower()
    if name in _SET_ANYWAY:
        raise ValueError(f'"{value}" is set by the gateway for every site; remove it')
    if name in _FRAMING | _VISITORS:
        whose = "the visitor's own" if name in _VISITORS else "part of how a message is sent"
        raise ValueError(
            f'"{value}" is {whose}; right would be a header of the platform\'s, like "X-Forwarded-Weixin-Host"'
        )
    return value


def header_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuses a header that is named twice, in whatever letters: it would be sent twice."""
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise ValueError(f'"{name}" stands twice; keep one')
        seen.add(name.lower())
    return names


def listed(value: Any) -> Any:
    """Refuses a lone string where a list is meant, which would be taken letter by letter."""
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        right = f"[{value!r}]" if value and isinstance(value, str) else "a list in square brackets"
        raise ValueError(f"{shown(repr(value))} is not a list; right would be {right}")
    return tuple(value)


def _directory(value: str) -> str:
    _https_url(f"https://{acme_values.authority(value)}")
    return value


def _email(value: str) -> str:
    _host_name(acme_values.mail_domain(value), "school.edu.cn")
    return value


Domain = Annotated[StrictStr, AfterValidator(_domain)]
AppCode = Annotated[StrictStr, AfterValidator(_code)]
PathPrefix = Annotated[StrictStr, AfterValidator(_path)]
ExtraPath = Annotated[StrictStr, AfterValidator(_whole_prefix)]
Size = Annotated[StrictStr, AfterValidator(_size)]
Origin = Annotated[StrictStr, AfterValidator(_origin)]
UpstreamPrefix = Annotated[StrictStr, AfterValidator(_upstream_prefix)]
PublicIPv4 = Annotated[StrictStr, AfterValidator(_public_ipv4)]
Network = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(network_values.network)]
Directory = Annotated[StrictStr, AfterValidator(_directory)]
Email = Annotated[StrictStr, AfterValidator(_email)]
FilePath = Annotated[StrictStr, AfterValidator(acme_values.file_path)]
KeyId = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
Variable = Annotated[StrictStr, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
VisitorsNetwork = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(network_values.visitors)]
InnerNetwork = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(network_values.inner)]
ListenAddress = Annotated[StrictStr, AfterValidator(listener.address_and_port)]
RoutePort = Annotated[Literal["entry"] | int, BeforeValidator(_route_port)]
HeaderName = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9-]{1,64}$"), AfterValidator(_header_name)]
AppPath = Annotated[StrictStr, AfterValidator(wecom_values.app_path)]
CorpId = Annotated[StrictStr, AfterValidator(wecom_values.corp_id)]
AgentId = Annotated[int, BeforeValidator(wecom_values.agent_id)]
Flag = Annotated[StrictStr, AfterValidator(wecom_values.flag)]
