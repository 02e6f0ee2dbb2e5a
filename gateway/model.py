"""The inventory as frozen models: what an operator writes, checked value by value.

Nothing here touches a file or a host. A value that passes can stand as a token in an nginx
configuration or a shell command: every string type below admits only characters that are inert in both.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictInt,
    StrictStr,
    Tag,
)

from gateway import listener, wecom_values
from gateway.problems import did_you_mean
from gateway.problems import shown as _shown

# The loopback port on which the running nginx tells its release; no site may ask for it.
RELEASE_PORT = 19001

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PATH = re.compile(r"/(?:[A-Za-z0-9._~-]+/)*")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SIZE = re.compile(r"([1-9][0-9]{0,5})([kmg]?)")


def _host_name(value: str, example: str) -> str:
    """A DNS name in lower case.

    Raises ValueError saying what kind of other thing it is, and what is right: the name inside it, or the example.
    """
    inside = re.split(r"[/:?#]", value.lower().rpartition("://")[2])[0].rstrip(".")
    if inside != value and not _is_ip(inside) and _is_name(inside):
        example = inside
    checks = [
        ("://" in value, "carries a scheme"),
        ("/" in value, "carries a path"),
        ("*" in value, "is a wildcard; every sub-domain is an entry of its own"),
        ("_" in value, "has an underscore, which WeCom refuses in a trusted domain"),
        (value != value.lower(), f'has capitals; write "{value.lower()}"'),
        (value.endswith("."), "ends in a dot"),
        (_is_ip(value), "is an IP address; WeCom accepts only ICP-filed domain names"),
        (":" in value, "carries a port; ports follow from the platform's routes"),
    ]
    for wrong, reason in checks:
        if wrong:
            raise ValueError(f'"{_shown(value)}" {reason}; right would be "{example}"')
    if not _is_name(value):
        raise ValueError(
            f'"{_shown(value)}" is not a full host name (labels of letters, digits and hyphens, '
            f'joined by dots); right would be "{example}"'
        )
    if value.rpartition(".")[2].isdigit():
        raise ValueError(f'"{_shown(value)}" ends in a number; right would be "{example}"')
    return value


def _is_name(value: str) -> bool:
    labels = value.split(".")
    return len(value) <= 253 and len(labels) >= 2 and all(_LABEL.fullmatch(label) for label in labels)


def _is_ip(value: str) -> bool:
    try:
        ipaddress.ip_address(value.strip("[]"))
    except ValueError:
        return False
    return True


def _domain(value: str) -> str:
    return _host_name(value, "wx.school.edu.cn")


def _code(value: str) -> str:
    if not _CODE.fullmatch(value):
        raise ValueError(f'"{_shown(value)}" is not an app code (letters, digits, "-" and "_"); for example "bk_itsm"')
    return value


def _path(value: str) -> str:
    if not _PATH.fullmatch(value) or any(part in (".", "..") for part in value.split("/")):
        raise ValueError(
            f'"{_shown(value)}" is not a path prefix: it starts and ends with "/" and has only letters, '
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
        raise ValueError(f'"{_shown(value)}" is not a size; right would be "50m", "200m" or "1g"')
    return value


def _https_url(value: str) -> str:
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f'"{_shown(value)}" is not a URL; right would be "https://paas.inner.example"')
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(f'"{_shown(value)}" has no valid host or port') from None
    if parts.scheme != "https":
        raise ValueError(
            f'"{_shown(value)}" is not https: without TLS nothing proves who answers; '
            'right would be "https://paas.inner.example"'
        )
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user name or password must not stand in an upstream URL")
    if "?" in value or "#" in value:
        raise ValueError(
            f'"{_shown(value)}" carries a query or fragment; leave it out, the visitor\'s own is passed on'
        )
    if port == 0:
        raise ValueError(f'"{_shown(value)}" has port 0')
    host = parts.netloc.rsplit(":", 1)[0] if port is not None else parts.netloc
    if _is_ip(host):
        raise ValueError(f'"{_shown(value)}" names an IP address, which no certificate check accepts; use a name')
    _host_name(host, "paas.inner.example")
    if parts.path:
        _path(parts.path)
    return value


def _origin(value: str) -> str:
    _https_url(value)
    if urlsplit(value).path not in ("", "/"):
        raise ValueError(f'"{_shown(value)}" carries a path; an origin is "https://paas.inner.example"')
    return value.rstrip("/")


def _upstream_prefix(value: str) -> str:
    _https_url(value)
    if not urlsplit(value).path.endswith("/"):
        raise ValueError(f'"{_shown(value)}" must end in "/", as its path does: prefixes are mapped slash for slash')
    return value


def _public_ipv4(value: str) -> str:
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        raise ValueError(
            f'"{_shown(value)}" is not one IPv4 address; WeCom takes no ranges, names or IPv6, '
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
        raise ValueError(f'"{_shown(value)}" is not a port; {right}')
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(f"{value!r} is not a port; {right}")
    if isinstance(value, int) and not 1 <= value <= 65535:
        raise ValueError(f"{value} is not a port: it must be greater than or equal to 1 and at most 65535")
    return value


def _routes(value: Any) -> Any:
    if value == "bk" or isinstance(value, (list, tuple)):
        return value
    hint = f"; {did_you_mean(value, ['bk'])}" if isinstance(value, str) else ""
    raise ValueError(
        f'{value!r} is neither "bk" nor a list of rows{hint}; '
        'a row is {"port": "entry", "path": "/", "upstream": "https://platform.example/"}'
    )


def _network(value: Any) -> Any:
    """A network as text, for example "10.0.0.0/24"; one address is a network of its own."""
    if not isinstance(value, str):
        raise ValueError(f'{value!r} is not a network; right would be "10.0.0.0/24"')
    try:
        loose = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f'"{_shown(value)}" is not a network; right would be "10.0.0.0/24"') from None
    if "/" in value and str(loose.network_address) != str(ipaddress.ip_address(value.partition("/")[0])):
        raise ValueError(f'"{value}" has bits set after its prefix; right would be "{loose}"')
    if loose.prefixlen == 0:
        raise ValueError(f'"{value}" believes every client; name the load balancer\'s own networks')
    return loose


def _inner_network(value: Any) -> Any:
    """A network whose hosts may pass: never everybody's."""
    if isinstance(value, str) and value.strip().endswith("/0"):
        raise ValueError(f'"{_shown(value)}" lets everybody pass; name the application servers\' networks')
    return _network(value)


def _listed(value: Any) -> Any:
    """Refuses a lone string where a list is meant, which would be taken letter by letter."""
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        raise ValueError(f"{value!r} is not a list; right would be [{value!r}]")
    return tuple(value)


def _no_acme(value: Any) -> Any:
    if isinstance(value, dict) and "acme" in value:
        raise ValueError('automatic certificates are not available in this version; right would be "files"')
    return value


Domain = Annotated[StrictStr, AfterValidator(_domain)]
AppCode = Annotated[StrictStr, AfterValidator(_code)]
PathPrefix = Annotated[StrictStr, AfterValidator(_path)]
ExtraPath = Annotated[StrictStr, AfterValidator(_whole_prefix)]
Size = Annotated[StrictStr, AfterValidator(_size)]
Origin = Annotated[StrictStr, AfterValidator(_origin)]
UpstreamPrefix = Annotated[StrictStr, AfterValidator(_upstream_prefix)]
PublicIPv4 = Annotated[StrictStr, AfterValidator(_public_ipv4)]
Network = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(_network)]
InnerNetwork = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(_inner_network)]
ListenAddress = Annotated[StrictStr, AfterValidator(listener.address_and_port)]
Port = Annotated[StrictInt, Field(ge=1, le=65535)]
RoutePort = Annotated[Literal["entry"] | int, BeforeValidator(_route_port)]
HeaderName = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
AppPath = Annotated[StrictStr, AfterValidator(wecom_values.app_path)]
CorpId = Annotated[StrictStr, AfterValidator(wecom_values.corp_id)]
AgentId = Annotated[int, BeforeValidator(wecom_values.agent_id)]
Flag = Annotated[StrictStr, AfterValidator(wecom_values.flag)]


# How pydantic names the member of a union that it took; not part of what an operator wrote.
UNION_TAG = "="


class _Frozen(BaseModel):
    # The text under a key is its description: in an editor, and for gateway/entries.py.
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class BlueKing(_Frozen):
    """What of a BlueKing installation is published: only these apps' mobile paths."""

    upstream: Origin
    """The inner platform's origin, https with a name: "https://paas.inner.example"."""

    apps: Annotated[tuple[AppCode, ...], BeforeValidator(_listed), Field(min_length=1)]
    """The bk_app_ids to publish: ["bk_itsm"]."""

    envs: Annotated[tuple[Literal["o", "t"], ...], BeforeValidator(_listed), Field(min_length=1)] = ("o",)
    """ "o" is production, "t" is test. Default ["o"]."""

    extra_paths: Annotated[tuple[ExtraPath, ...], BeforeValidator(_listed)] = ()
    """Further prefixes, whole, ending in "/": ["/o/bk_itsm/jsi18n/"]. Default none."""


class WeCom(_Frozen):
    """The WeCom app's own identifiers, for the handover sheet; none is secret."""

    corp_id: CorpId | None = None
    """CorpID (企业ID) of the school or enterprise: "ww1234567890abcdef"."""

    agent_id: AgentId | None = None
    """AgentId of the app: 1000002."""

    flag: Flag | None = None
    """What the platform's staff hand out for the app's home URL: "weixinqy_test_1121"."""

    trusted_ips: Annotated[
        tuple[PublicIPv4, ...],
        BeforeValidator(_listed),
        BeforeValidator(wecom_values.addresses),
        AfterValidator(wecom_values.trusted_ips),
    ] = ()
    """Public IPv4 addresses from which the platform's servers call WeCom (企业可信IP), at most 120, no ranges."""


class RateLimit(_Frozen):
    """How many requests a site takes, of all its visitors together; `burst` more pass at once before 429."""

    requests_per_second: Annotated[StrictInt, Field(ge=1, le=100000)]
    """Requests a second that pass: 200."""

    burst: Annotated[StrictInt, Field(ge=0, le=100000)] = 0
    """How many more pass at once before 429 is answered: 400. Default 0."""


class Egress(_Frozen):
    """TLS pass-through to the WeCom API on one inner address of a host, for servers without internet access."""

    listen: ListenAddress
    """An address of the host and a port: "10.0.0.5:443"."""

    allow: Annotated[tuple[InnerNetwork, ...], BeforeValidator(_listed), Field(min_length=1)]
    """The networks that may use it: ["10.0.0.0/24"]."""

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        return ipaddress.ip_address(self.listen.rpartition(":")[0].strip("[]"))

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])


class SiteEntry(_Frozen):
    """One school in the inventory, key by key as the README documents it."""

    domain: Domain
    """Public, ICP-filed host name: lower case, no scheme, port, wildcard, underscore or IP address."""

    edge: Literal["slb", "tls"]
    """ "slb": plain http behind a load balancer that ends TLS. "tls": TLS ends in nginx."""

    platform: StrictStr | None = None
    """A name from `platforms` in group_data/all.py. Default: the group's `platform`."""

    slb_cidrs: Annotated[tuple[Network, ...], BeforeValidator(_listed)] = ()
    """Networks the load balancer connects from; only their X-Forwarded-For is believed: ["10.0.0.0/24"]."""

    cert: Annotated[Literal["files"] | None, BeforeValidator(_no_acme)] = None
    """Edge "tls" only. "files", the default: files/certs/<domain>/ holds the certificate and its key."""

    bk: BlueKing | None = None
    """BlueKing only, and required there: what is published."""

    max_body: Size | None = None
    """Largest request body: "80m". Default: the platform's."""

    hsts: Annotated[StrictInt, Field(ge=0, le=63072000)] = 0
    """max-age of Strict-Transport-Security in seconds. Default 0: off."""

    rate_limit: RateLimit | None = None
    """What the whole site takes, of all its visitors together: {"requests_per_second": 200, "burst": 400}."""

    wecom: WeCom = WeCom()
    """About the WeCom app, for the handover sheet."""


class PlatformRoute(_Frozen):
    """One row of a platform's mapping table: public port and prefix to upstream prefix."""

    port: RoutePort
    path: PathPrefix
    upstream: UpstreamPrefix


_Rows = Annotated[tuple[PlatformRoute, ...], BeforeValidator(_listed), Field(min_length=1)]


class Platform(_Frozen):
    """A platform as data (group_data/all.py).

    `routes` "bk" means that they follow from each site's own `bk`; such routes are an allow-list into
    an inner network and are guarded as one. `read_timeout` is in seconds. `domain_headers` are
    request headers, besides X-Forwarded-Host, that carry the literal public domain. `app_path` is what a WeCom
    app's home URL has after the path of the first entry route, with "{flag}" for the site's own flag.
    """

    routes: Annotated[
        Annotated[Literal["bk"], Tag(f"{UNION_TAG}bk")] | Annotated[_Rows, Tag(f"{UNION_TAG}rows")],
        Discriminator(lambda value: f"{UNION_TAG}bk" if value == "bk" else f"{UNION_TAG}rows"),
        BeforeValidator(_routes),
    ]
    max_body: Size = "50m"
    read_timeout: Annotated[StrictInt, Field(ge=1, le=3600)] = 60
    domain_headers: Annotated[tuple[HeaderName, ...], BeforeValidator(_listed)] = ()
    app_path: AppPath | None = None


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that a key's type is made of, however deep: in a list, as one of several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]
