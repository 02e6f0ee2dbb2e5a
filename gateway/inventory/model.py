"""The inventory as frozen models: what an operator writes, key by key. Nothing here touches a file or a host."""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    ValidationInfo,
    field_validator,
)

from gateway.inventory import acme_values, header_values, listener, upstream_values, values, wecom_values
from gateway.inventory.values import (
    AgentId,
    AppCode,
    AppPath,
    CaFile,
    CorpId,
    Directory,
    Domain,
    Email,
    ExtraPath,
    FilePath,
    Flag,
    HeaderName,
    Headers,
    InnerNetwork,
    KeyId,
    Network,
    Node,
    Origin,
    PathPrefix,
    PublicIPv4,
    ReadersNetwork,
    RoutePort,
    Size,
    UpstreamPrefix,
    Variable,
    VisitorsNetwork,
)

# Starts the name that pydantic puts into a finding's place for the member of a union; no operator wrote it.
UNION_TAG = "="


class _Frozen(BaseModel):
    # The text under a key is its description: in an editor, and for gateway/entries.py.
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class _Asked(_Frozen):
    """What `nodes` and `ca` say about the `upstream` beside them."""

    @field_validator("nodes", check_fields=False)
    @classmethod
    def _nodes(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        return upstream_values.nodes(value, others.data.get("upstream"))

    @field_validator("ca", check_fields=False)
    @classmethod
    def _ca(cls, value: str | None, others: ValidationInfo) -> str | None:
        if value and str(others.data.get("upstream")).startswith("http:"):
            raise ValueError('has no meaning for plain http; remove it, or write "https://..." as upstream')
        return value


class BlueKing(_Asked):
    """What of a BlueKing installation is published: only these apps' mobile paths."""

    upstream: Origin
    """The inner platform's origin, https or http: "https://paas.inner.example", "http://10.0.0.8:8080"."""

    nodes: Annotated[tuple[Node, ...], BeforeValidator(values.listed)] = ()
    """Its addresses, with a port or without, asked in place of what DNS says: ["10.0.0.8:8443", "10.0.0.9"]."""

    ca: CaFile | None = None
    """A PEM file in the checkout that it is verified with: "files/ca/inner.pem". Default: the host's trust store."""

    apps: Annotated[tuple[AppCode, ...], BeforeValidator(values.listed), Field(min_length=1)]
    """The bk_app_ids to publish: ["bk_itsm"]."""

    envs: Annotated[tuple[Literal["o", "t"], ...], BeforeValidator(values.listed), Field(min_length=1)] = ("o",)
    """ "o" is production, "t" is test. Default ["o"]."""

    extra_paths: Annotated[tuple[ExtraPath, ...], BeforeValidator(values.listed)] = ()
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
        BeforeValidator(values.listed),
        BeforeValidator(wecom_values.addresses),
        AfterValidator(wecom_values.trusted_ips),
    ] = ()
    """Public IPv4 addresses from which the platform's servers call WeCom (企业可信IP), at most 120, no ranges."""


class RateLimit(_Frozen):
    """How many requests a site takes, of all its visitors together; `burst` more pass at once before 429."""

    requests_per_second: Annotated[StrictInt, Field(ge=1, le=100000)]
    """Requests a second that pass: 200."""

    burst: Annotated[StrictInt, Field(ge=0, le=100000)] | None = None
    """How many more pass at once before 429 is answered: 400. Default: as many as pass in a second."""

    @property
    def at_once(self) -> int:
        """How many requests more pass at once: `burst`, or its default."""
        return self.requests_per_second if self.burst is None else self.burst


class AccountBinding(_Frozen):
    """The contract with a certificate authority that an ACME account stands for (RFC 8555, 7.3.4)."""

    kid: KeyId
    """The key identifier that the authority hands out."""

    hmac_key_env: Variable
    """The environment variable of whoever deploys that holds the authority's secret (base64url)."""


class Acme(_Frozen):
    """Whom to ask for a certificate, and as whom."""

    email: Email
    """Where the authority writes to when something is wrong: "ops@school.edu.cn"."""

    directory: Directory = acme_values.LETS_ENCRYPT
    """The https URL of the ACME server's directory. Default: Let's Encrypt."""

    ca: FilePath | None = None
    """A PEM file in the checkout that the directory's own TLS is verified with. Default: the host's trust store."""

    eab: AccountBinding | None = None
    """External account binding, where the authority asks for it."""

    @property
    def account(self) -> str:
        """The name of the account's folder on a host: one for each directory, e-mail address and key identifier."""
        return hashlib.sha256(self._identity.encode()).hexdigest()[:16]

    @property
    def order(self) -> str:
        """Four words: account, directory, e-mail address, and key identifier or "-".

        A certificate that was issued for other words is asked for again.
        """
        return f"{self.account} {self._identity}"

    @property
    def _identity(self) -> str:
        return f"{self.directory} {self.email} {self.eab.kid if self.eab else '-'}"


class Cert(_Frozen):
    """Where a certificate comes from: files of the checkout, or an ACME server."""

    acme: Acme | None = None
    """Issued and renewed on the host. Left out: files/certs/<domain>/ holds the certificate and its key."""


class InnerListener(_Frozen):
    """A listener of a host's own on one of its addresses, beside the sites'. `usual_port` is told as an example."""

    usual_port: ClassVar[int]

    listen: StrictStr
    """An address of the host and a port."""

    @field_validator("listen")
    @classmethod
    def _listens(cls, value: str) -> str:
        return listener.address_and_port(value, cls.usual_port)

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        """The address in `listen`."""
        return ipaddress.ip_address(self.listen.rpartition(":")[0].strip("[]"))

    @property
    def port(self) -> int:
        """The port in `listen`."""
        return int(self.listen.rpartition(":")[2])


class Egress(InnerListener):
    """TLS pass-through to the WeCom API on one inner address of a host, for servers without internet access."""

    usual_port = 443

    listen: StrictStr
    """An address of the host and a port: "10.0.0.5:443"."""

    allow: Annotated[tuple[InnerNetwork, ...], BeforeValidator(values.listed), Field(min_length=1)]
    """The networks that may use it: ["10.0.0.0/24"]."""


class Metrics(InnerListener):
    """What Prometheus reads of a host, as `GET /metrics` on one of its inner addresses."""

    usual_port = 9145

    listen: StrictStr
    """An address of the host and a port: "10.0.0.5:9145"."""

    allow: Annotated[tuple[ReadersNetwork, ...], BeforeValidator(values.listed), Field(min_length=1)]
    """The networks that may read it, Prometheus's: ["10.0.0.0/24"]."""


class SiteEntry(_Frozen):
    """One school in the inventory."""

    domain: Domain
    """Public, ICP-filed host name: lower case, no scheme, port, wildcard, underscore or IP address."""

    edge: Literal["slb", "tls"]
    """ "slb": plain http behind a load balancer that ends TLS. "tls": TLS ends in nginx."""

    platform: StrictStr | None = None
    """A name from `platforms` in group_data/all.py. Default: the group's `platform`."""

    slb_cidrs: Annotated[tuple[Network, ...], BeforeValidator(values.listed)] = ()
    """Networks the load balancer connects from; only their X-Forwarded-For is believed: ["10.0.0.0/24"]."""

    cert: Annotated[Cert | None, BeforeValidator(acme_values.cert)] = None
    """Edge "tls" only. Default "files": files/certs/<domain>/ holds the certificate and its key. Else see `acme`."""

    bk: BlueKing | None = None
    """BlueKing only, and required there: what is published."""

    max_body: Size | None = None
    """Largest request body: "80m". Default: the platform's."""

    hsts: Annotated[StrictInt, Field(ge=0, le=63072000)] = 0
    """max-age of Strict-Transport-Security in seconds. Default 0: off."""

    rate_limit: RateLimit | None = None
    """What the whole site takes, of all its visitors together: {"requests_per_second": 200, "burst": 400}."""

    allow: Annotated[tuple[VisitorsNetwork, ...], BeforeValidator(values.listed)] = ()
    """Networks of the visitors who may use the site; everybody else gets 403: ["10.0.0.0/8"]. Default: everybody."""

    wecom: WeCom = WeCom()
    """About the WeCom app, for the handover sheet."""


class PlatformRoute(_Asked):
    """One row of a platform's mapping table: public port and prefix to upstream prefix.

    The upstream's `nodes` and `ca` are as in BlueKing. `host` is whose name the upstream gets in the Host header.
    A `guarded` prefix is an allow-list: nothing passes that could be read as a path outside of it. `headers` are
    further request headers, by name, in which "{domain}" and "{path}" stand for the site's domain and `path`.
    """

    port: RoutePort
    path: PathPrefix
    upstream: UpstreamPrefix
    nodes: Annotated[tuple[Node, ...], BeforeValidator(values.listed)] = ()
    ca: CaFile | None = None
    host: Literal["upstream", "domain"] = "upstream"
    guarded: StrictBool = False
    headers: Headers = ()


_Rows = Annotated[tuple[PlatformRoute, ...], BeforeValidator(values.listed), Field(min_length=1)]


class Platform(_Frozen):
    """A platform as data (group_data/all.py).

    With `routes` "bk" a site's routes follow from its own `bk`; they are guarded (gateway/inventory/site.py).
    `read_timeout` is in seconds. `domain_headers` are request headers, besides X-Forwarded-Host, that carry the public
    domain. `app_path` is what a WeCom app's home URL has after the path of the first entry route, with "{flag}" for the
    site's own flag.
    """

    routes: Annotated[
        Annotated[Literal["bk"], Tag(f"{UNION_TAG}bk")] | Annotated[_Rows, Tag(f"{UNION_TAG}rows")],
        Discriminator(lambda value: f"{UNION_TAG}bk" if value == "bk" else f"{UNION_TAG}rows"),
        BeforeValidator(values.routes),
    ]
    max_body: Size = "50m"
    read_timeout: Annotated[StrictInt, Field(ge=1, le=3600)] = 60
    domain_headers: Annotated[tuple[HeaderName, ...], BeforeValidator(values.listed)] = ()
    app_path: AppPath | None = None

    @field_validator("domain_headers")
    @classmethod
    def _said_once(cls, value: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        rows = others.data.get("routes", ())
        header_values.said_once(value, (name for row in (() if rows == "bk" else rows) for name, _ in row.headers))
        return value


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models in a key's type, also where it is a list of them or one of several types."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]
