"""Types of an inventory's entries, for editors alone: they complete a site's keys and mark a wrong one.

Use them in an inventory like this; the entries stay plain lists, tuples and dicts:

    from gateway.entries import Hosts

    wanxiao_prod: Hosts = [("203.0.113.10", {"sites": [{"domain": "wx.school-a.edu.cn", "edge": "slb"}]})]

Made from gateway/inventory/model.py by `make entries`; do not edit. `python -m gateway check` knows more than any type.
"""

from typing import Any, Literal, Required, TypedDict


class AccountBinding(TypedDict, total=False):
    """The contract with a certificate authority that an ACME account stands for (RFC 8555, 7.3.4)."""

    kid: Required[str]
    """The key identifier that the authority hands out."""

    hmac_key_env: Required[str]
    """The environment variable of whoever deploys that holds the authority's secret (base64url)."""


class Acme(TypedDict, total=False):
    """Whom to ask for a certificate, and as whom."""

    email: Required[str]
    """Where the authority writes to when something is wrong: "ops@school.edu.cn"."""

    directory: str
    """The https URL of the ACME server's directory. Default: Let's Encrypt."""

    ca: str
    """A PEM file in the checkout that the directory's own TLS is verified with. Default: the host's trust store."""

    eab: AccountBinding
    """External account binding, where the authority asks for it."""


class Cert(TypedDict, total=False):
    """Where a certificate comes from: files of the checkout, or an ACME server."""

    acme: Acme
    """Issued and renewed on the host. Left out: files/certs/<domain>/ holds the certificate and its key."""


class BlueKing(TypedDict, total=False):
    """What of a BlueKing installation is published: only these apps' mobile paths."""

    upstream: Required[str]
    """The inner platform's origin, https or http: "https://paas.inner.example", "http://10.0.0.8:8080"."""

    nodes: list[str]
    """Its addresses, with a port or without, asked in place of what DNS says: ["10.0.0.8:8443", "10.0.0.9"]."""

    ca: str
    """A PEM file in the checkout that it is verified with: "files/ca/inner.pem". Default: the host's trust store."""

    apps: Required[list[str]]
    """The bk_app_ids to publish: ["bk_itsm"]."""

    envs: list[Literal["o", "t"]]
    """ "o" is production, "t" is test. Default ["o"]."""

    extra_paths: list[str]
    """Further prefixes, whole, ending in "/": ["/o/bk_itsm/jsi18n/"]. Default none."""


class RateLimit(TypedDict, total=False):
    """How many requests a site takes, of all its visitors together; `burst` more pass at once before 429."""

    requests_per_second: Required[int]
    """Requests a second that pass: 200."""

    burst: int
    """How many more pass at once before 429 is answered: 400. Default: as many as pass in a second."""


class WeCom(TypedDict, total=False):
    """The WeCom app's own identifiers, for the handover sheet; none is secret."""

    corp_id: str
    """CorpID (企业ID) of the school or enterprise: "ww1234567890abcdef"."""

    agent_id: int
    """AgentId of the app: 1000002."""

    flag: str
    """What the platform's staff hand out for the app's home URL: "weixinqy_test_1121"."""

    trusted_ips: list[str]
    """Public IPv4 addresses from which the platform's servers call WeCom (企业可信IP), at most 120, no ranges."""


class SiteEntry(TypedDict, total=False):
    """One school in the inventory."""

    domain: Required[str]
    """Public, ICP-filed host name: lower case, no scheme, port, wildcard, underscore or IP address."""

    edge: Required[Literal["slb", "tls"]]
    """ "slb": plain http behind a load balancer that ends TLS. "tls": TLS ends in nginx."""

    platform: str
    """A name from `platforms` in group_data/all.py. Default: the group's `platform`."""

    slb_cidrs: list[str]
    """Networks the load balancer connects from; only their X-Forwarded-For is believed: ["10.0.0.0/24"]."""

    cert: Literal["files"] | Cert
    """Edge "tls" only. Default "files": files/certs/<domain>/ holds the certificate and its key. Else see `acme`."""

    bk: BlueKing
    """BlueKing only, and required there: what is published."""

    max_body: str
    """Largest request body: "80m". Default: the platform's."""

    hsts: int
    """max-age of Strict-Transport-Security in seconds. Default 0: off."""

    rate_limit: RateLimit
    """What the whole site takes, of all its visitors together: {"requests_per_second": 200, "burst": 400}."""

    allow: list[str]
    """Networks of the visitors who may use the site; everybody else gets 403: ["10.0.0.0/8"]. Default: everybody."""

    wecom: WeCom
    """About the WeCom app, for the handover sheet."""


class Egress(TypedDict, total=False):
    """TLS pass-through to the WeCom API on one inner address of a host, for servers without internet access."""

    listen: Required[str]
    """An address of the host and a port: "10.0.0.5:443"."""

    allow: Required[list[str]]
    """The networks that may use it: ["10.0.0.0/24"]."""


class Metrics(TypedDict, total=False):
    """What Prometheus reads of a host, as `GET /metrics` on one of its inner addresses."""

    listen: Required[str]
    """An address of the host and a port: "10.0.0.5:9145"."""

    allow: Required[list[str]]
    """The networks that may read it, Prometheus's: ["10.0.0.0/24"]."""


class HostEntry(TypedDict, total=False):
    """One host: its sites, and how pyinfra reaches it."""

    sites: Required[list[SiteEntry]]
    """Every site that this host serves."""

    egress: Egress
    """TLS pass-through to the WeCom API for servers without internet access."""

    metrics: Metrics
    """What Prometheus reads of the host: `GET /metrics` on an inner address."""

    proxy_protocol: list[str]
    """Networks of a layer 4 load balancer that sends the PROXY protocol, edge "tls" only: ["10.0.0.0/24"]."""

    firewall: bool
    """Whether a deploy opens the sites' ports in firewalld, where it runs. Default: False."""

    replaces: list[str]
    """Files of the host's own nginx configuration that a deploy puts aside, since the sites take their place."""

    platform: str
    """The platform of those sites that name none. Default: the group's."""

    ssh_hostname: str
    """pyinfra: SSH hostname."""

    ssh_port: int
    """pyinfra: SSH port."""

    ssh_user: str
    """pyinfra: SSH user."""

    ssh_password: str
    """pyinfra: SSH password."""

    ssh_key: str
    """pyinfra: SSH key filename."""

    ssh_key_password: str
    """pyinfra: SSH key password."""

    ssh_allow_agent: bool
    """pyinfra: Whether to use any active SSH agent."""

    ssh_look_for_keys: bool
    """pyinfra: Whether to look for private keys."""

    ssh_forward_agent: bool
    """pyinfra: Whether to enable SSH forward agent."""

    ssh_config_file: str
    """pyinfra: SSH config filename."""

    ssh_known_hosts_file: str
    """pyinfra: SSH known_hosts filename."""

    ssh_strict_host_key_checking: str
    """pyinfra: SSH strict host key checking."""

    ssh_paramiko_connect_kwargs: dict[str, Any]
    """pyinfra: Override keyword arguments passed into Paramiko's SSHClient.connect."""

    ssh_connect_retries: int
    """pyinfra: Number of tries to connect via ssh."""

    ssh_connect_retry_min_delay: float
    """pyinfra: Lower bound for random delay between retries."""

    ssh_connect_retry_max_delay: float
    """pyinfra: Upper bound for random delay between retries."""

    ssh_file_transfer_protocol: str
    """pyinfra: Protocol to use for file transfers. Can be sftp or scp."""

    _sudo: bool
    """pyinfra: Needed unless ssh_user is root."""

    _sudo_password: str
    """pyinfra: Where sudo asks for one: read it from the environment."""

    _sudo_user: str
    """pyinfra: Another user than root to become with sudo."""

    _temp_dir: str
    """pyinfra: A folder of the host where programs may run, where /tmp is mounted noexec."""


Hosts = list[tuple[str, HostEntry]]
"""A group of hosts: the name or address of each, and its data."""
