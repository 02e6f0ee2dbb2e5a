"""The values of an inventory, each checked by itself: types for the models of gateway/inventory/model.py.

A value that passes can stand as a token in an nginx configuration or a shell command: every string type below
admits only characters that are inert in both. Each refusal is a ValueError that says what would be right.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictStr

from gateway.inventory import (
    acme_values,
    domain_names,
    header_values,
    network_values,
    upstream_values,
    wecom_values,
)
from gateway.problems import did_you_mean, shown

_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Where sshd listens unless it is told otherwise; browsers open no page there either.
SSH_PORT = 22
_SIZE = re.compile(r"([1-9][0-9]{0,5})([kmg]?)")


def _domain(value: str) -> str:
    return domain_names.checked(value, "wx.school.edu.cn")


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


def _whole_prefix(value: str) -> str:
    if upstream_values.path(value) == "/":
        raise ValueError('"/" would publish the whole inner platform; name the prefix, like "/o/itsm/jsi18n/"')
    return value


def _size(value: str) -> str:
    match = _SIZE.fullmatch(value)
    if not match:
        raise ValueError(f'"{shown(value)}" is not a size; right would be "50m", "200m" or "1g"')
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
        raise ValueError(f"{shown(repr(value))} is not a port; {right}")
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
        f'{shown(repr(value))} is neither "bk" nor a list of rows{hint}; '
        'a row is {"port": "entry", "path": "/", "upstream": "https://platform.example/"}'
    )


def listed(value: Any) -> Any:
    """Refuses a lone string where a list is meant, which would be taken letter by letter."""
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        right = f"[{shown(repr(value))}]" if value and isinstance(value, str) else "a list in square brackets"
        raise ValueError(f"{shown(repr(value))} is not a list; right would be {right}")
    return tuple(value)


def _directory(value: str) -> str:
    upstream_values.certified_origin(f"https://{acme_values.authority(value)}")
    return value


def _email(value: str) -> str:
    domain_names.checked(acme_values.mail_domain(value), "school.edu.cn")
    return value


Domain = Annotated[StrictStr, AfterValidator(_domain)]
AppCode = Annotated[StrictStr, AfterValidator(_code)]
PathPrefix = Annotated[StrictStr, AfterValidator(upstream_values.path)]
ExtraPath = Annotated[StrictStr, AfterValidator(_whole_prefix)]
Size = Annotated[StrictStr, AfterValidator(_size)]
Origin = Annotated[StrictStr, AfterValidator(upstream_values.origin)]
UpstreamPrefix = Annotated[StrictStr, AfterValidator(upstream_values.prefix)]
Node = Annotated[StrictStr, AfterValidator(upstream_values.node)]
CaFile = Annotated[StrictStr, AfterValidator(upstream_values.ca)]
PublicIPv4 = Annotated[StrictStr, AfterValidator(_public_ipv4)]
Network = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(network_values.network)]
Directory = Annotated[StrictStr, AfterValidator(_directory)]
Email = Annotated[StrictStr, AfterValidator(_email)]
FilePath = Annotated[StrictStr, AfterValidator(acme_values.file_path)]
KeyId = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
Variable = Annotated[StrictStr, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
VisitorsNetwork = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(network_values.visitors)]
InnerNetwork = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(network_values.inner)]
ReadersNetwork = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(network_values.readers)]
RoutePort = Annotated[Literal["entry"] | int, BeforeValidator(_route_port)]
HeaderName = Annotated[StrictStr, AfterValidator(header_values.name)]
Headers = Annotated[tuple[tuple[str, str], ...], BeforeValidator(header_values.pairs)]
AppPath = Annotated[StrictStr, AfterValidator(wecom_values.app_path)]
CorpId = Annotated[StrictStr, AfterValidator(wecom_values.corp_id)]
AgentId = Annotated[int, BeforeValidator(wecom_values.agent_id)]
Flag = Annotated[StrictStr, AfterValidator(wecom_values.flag)]
