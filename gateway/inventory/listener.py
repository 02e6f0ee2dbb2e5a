"""An address and a port to listen on, as an operator writes them."""

from __future__ import annotations

import ipaddress

from gateway.problems import shown


def address_and_port(value: str, usual: int) -> str:
    """One address of the host and a port, as nginx writes them.

    Raises ValueError with what would be right, an example with the port `usual`.
    """
    example = f'right would be "10.0.0.5:{usual}", an address of this host and a port'
    host, _, port = value.rpartition(":")
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]") if host.startswith("[") else host)
    except ValueError:
        raise ValueError(f'"{shown(value)}" does not start with an IP address; {example}') from None
    if isinstance(address, ipaddress.IPv6Address) and (not host.startswith("[") or address.scope_id):
        raise ValueError(f'"{shown(value)}" is not how a listener names IPv6; right would be "[fd00::5]:{usual}"')
    if not (port.isascii() and port.isdecimal() and not port.startswith("0") and int(port) <= 65535):
        raise ValueError(f'"{shown(value)}" has no valid port; {example}')
    if address.is_unspecified or address.is_multicast:
        raise ValueError(f'"{shown(value)}" is not one address of the host; {example}')
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
