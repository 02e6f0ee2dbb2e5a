"""Keys of a host that are not for the gateway: values that pyinfra would refuse, and misspelt keys."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import Any, get_type_hints

from pyinfra.api import Host
from pyinfra.api.arguments import all_argument_meta
from pyinfra.api.util import raise_if_bad_type
from pyinfra.connectors.ssh import SSHConnector, connector_data_meta

from gateway.fleet.misplaced import PLATFORM_KEYS, SITE_KEYS
from gateway.problems import Problem, nearest, shown

# What the gateway reads of a host (gateway/fleet/parsing.py).
_OWN = frozenset(("sites", "platform", "platforms", "egress", "metrics", "proxy_protocol", "firewall", "replaces"))
_KNOWN = _OWN | connector_data_meta.keys() | all_argument_meta.keys()

_RIGHT = {
    str: "text in quotes",
    int: "a number without quotes, like 22",
    float: "a number without quotes, like 0.5",
    bool: "True or False",
    dict: "a dict",
}
# An address with a wrong number.
_NUMBERS = re.compile(r"(?:[0-9]+\.){3,}[0-9]+\.?")
# How alike a key is to one that is there as well: "site" beside "sites". Less so, it may be the operator's own.
_SURELY = 0.85
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")


def errors(host: Host) -> list[Problem]:
    """One for each setting that pyinfra could not connect with. Values never show: a password may be among them."""
    own = host.data.dict()
    kinds = get_type_hints(host.connector_cls.data_cls)
    found = [(key, text) for key, kind in kinds.items() if key in own for text in _wrong(key, own[key], kind)]
    if issubclass(host.connector_cls, SSHConnector):
        hostname = own.get("ssh_hostname")
        if not isinstance(hostname, str) or not hostname:
            found += [("", text) for text in no_address(host.name) if not host.name.startswith("@")]
        else:
            found += [("ssh_hostname", text) for text in no_address(hostname)]
    return [Problem(host.name, "", *one) for one in found]


def warnings(host: str, keys: Iterable[str]) -> list[Problem]:
    """One for each key that is almost a known one. Keys that resemble none are the operator's own and may stay."""
    given = set(keys)
    found = []
    for key in sorted(given - _KNOWN - SITE_KEYS - PLATFORM_KEYS, key=str):  # of those gateway/fleet/misplaced.py tells
        if not isinstance(key, str):
            found.append(Problem(host, "", shown(repr(key)), "is read by nobody; keys are text in quotes", "warning"))
            continue
        meant = nearest(key, _KNOWN - given, cutoff=0.8) or nearest(key, _KNOWN, cutoff=_SURELY)
        # a host without sites is an error that names the key
        if meant and (meant != "sites" or "sites" in given):
            found.append(Problem(host, "", key, f'is read by nobody; did you mean "{meant}"?', "warning"))
        elif not meant and (meant := nearest(key, SITE_KEYS, cutoff=0.8)):
            text = f'is read by nobody; did you mean "{meant}", which belongs into each site\'s dict?'
            found.append(Problem(host, "", key, text, "warning"))
    return found


def _wrong(key: str, value: Any, kind: type) -> Iterator[str]:
    """What is wrong with a setting's type, as pyinfra itself checks it, or with the number of a port."""
    try:
        raise_if_bad_type(value, kind, TypeError, key)
    except TypeError:
        yield f"is of type {type(value).__name__}; right would be {_RIGHT.get(kind, kind.__name__)}"
    else:
        if key == "ssh_port" and not 0 <= value <= 65535:
            yield "is no port; right would be a number from 1 to 65535, like 22"


def no_address(name: str) -> Iterator[str]:
    """What is wrong with a name that no DNS server and no /etc/hosts could have an address for."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        try:
            text = name.encode("idna").decode("ascii")
        except UnicodeError:
            text = ""
        if (
            len(text) > 253
            or _NUMBERS.fullmatch(text)
            or not all(_LABEL.fullmatch(label) for label in text.removesuffix(".").split("."))
        ):
            yield (
                f'"{shown(name)}" is no host name or address; right would be "203.0.113.10" or "gw.example.com", '
                'with a user or port in "ssh_user" and "ssh_port"'
            )
