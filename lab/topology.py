"""The lab's static facts: names, addresses, paths. Imports quickly and does nothing at import."""

import ipaddress
import os
import re
from pathlib import Path

from lab.errors import LabError

PREFIX_VARIABLE = "WECOM_LAB_PREFIX"
# Two labs on one machine differ in this and in their subnet.
PREFIX = os.environ.get(PREFIX_VARIABLE) or "wecom-lab"
IMAGES_VARIABLE = "WECOM_LAB_IMAGES"
# The lab whose images the hosts are made from: a second lab with copies of the first one's keys can take the same.
IMAGES = os.environ.get(IMAGES_VARIABLE) or PREFIX
LABEL = "wecom-gateway.lab=1"
NETWORK = PREFIX
DEFAULT_SUBNET = "172.30.213.0/24"
SUBNET_VARIABLE = "WECOM_LAB_SUBNET"

SUITES = ("bullseye", "bookworm", "trixie", "forky")
DEFAULT_SUITE = "bookworm"

# What each host is for; tests ask for more hosts by the names t01 to t99.
GATEWAYS = {
    "gw-slb": "gateway behind the load balancer (plain http on 80 and 9001)",
    "gw-tls": "gateway that terminates TLS itself (443 and 9001)",
}
INFRASTRUCTURE = {
    "platform": "stand-in for every upstream platform and for the WeCom API",
    "node-b": "the same again, as a second node of a platform",
    "slb": "stand-in for the cloud load balancer",
}

# The production names, which the lab's network resolves to the stand-in.
PLATFORM_NAMES = (
    "hub.17wanxiao.com",
    "open.17wanxiao.com",
    "api.17wanxiao.com",
    "paas.inner.example",
    "qyapi.weixin.qq.com",
    "api.weixin.qq.com",
    # BlueKing's PaaS v3: apps below a path, and one on a name of its own.
    "apps.inner.example",
    "bk--itsm.apps.inner.example",
    # a school's own application
    "app.inner.example",
)
WRONG_CERT_NAME = "wrong-cert.example"  # serves a certificate for another name
SELF_SIGNED_NAME = "self-signed.example"  # serves a certificate that the lab CA did not sign
PRIVATE_NAME = "private.inner.example"  # serves a certificate of an authority that no host trusts
# Everything that the lab's network resolves to the stand-in.
STANDIN_NAMES = (*PLATFORM_NAMES, WRONG_CERT_NAME, SELF_SIGNED_NAME, PRIVATE_NAME)

SSH_USER = "ops"  # with passwordless sudo; root accepts the same key

LAB = Path(__file__).resolve().parent
STATE = LAB / ".state"
SSH_KEY = STATE / "ssh" / "id_ed25519"
KNOWN_HOSTS = STATE / "ssh" / "known_hosts"
PKI = STATE / "pki"
LOCKS = STATE / "locks"
CA = PKI / "ca.pem"
PRIVATE_CA = PKI / "private-ca.pem"

_FIXED = {"platform": 2, "slb": 3, "acme": 6, "layer4": 7, "node-b": 8, "prometheus": 9, "gw-slb": 11, "gw-tls": 12}
_TEST_HOST = re.compile(r"t(0[1-9]|[1-9][0-9])")
_TEST_HOST_BASE = 30


def subnet() -> ipaddress.IPv4Network:
    """The lab's network: WECOM_LAB_SUBNET, or 172.30.213.0/24. Raises LabError where that is no network of a /24."""
    text = os.environ.get(SUBNET_VARIABLE) or DEFAULT_SUBNET
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise LabError(f"{SUBNET_VARIABLE}={text}: {error}; right would be e.g. {DEFAULT_SUBNET}") from None
    if network.prefixlen > 24:
        raise LabError(f"{SUBNET_VARIABLE}={text}: too small, the lab needs a /24; e.g. {DEFAULT_SUBNET}")
    return network


def own_address() -> str:
    """This machine's address on the lab's network, as the hosts see it."""
    return str(subnet()[1])


def address(name: str) -> str:
    """The fixed address of a host or of a part of the infrastructure. Raises LabError for other names."""
    if name in _FIXED:
        number = _FIXED[name]
    elif match := _TEST_HOST.fullmatch(name):
        number = _TEST_HOST_BASE + int(match[1])
    else:
        raise LabError(f"{name}: the lab has no such host; there are {', '.join(_FIXED)} and t01 to t99")
    return str(subnet()[number])


def container(name: str) -> str:
    """The container's name; inside, the host is called `name`."""
    return f"{PREFIX}-{name}"


def ssh_command(name: str, user: str = SSH_USER) -> str:
    """The command that logs in to a host."""
    return f"ssh -i {SSH_KEY} -o UserKnownHostsFile={KNOWN_HOSTS} {user}@{address(name)}"
