"""An address and a port to listen on, as an operator writes them."""

from __future__ import annotations

import ipaddress

from gateway.problems import shown


def address_and_port(value: str, usual: int) -> str:
    """One address of the host and a port, as nginx writes them.

    Raises ValueError with what would be right, an example with the port `usual`.
    """
    ipv6 = f'"{shown(value)}" is not how a listener names IPv6; right would be "[fd00::5]:{usual}"'
    example = f'right would be "10.0.0.5:{usual}", an address of this host and a port'
    host, _, port = value.rpartition(":")
    address = _address(host)
    if address is None:
        alone = _address(value)
        if ("[" in value and alone is None) or "%" in value:
            raise ValueError(ipv6)
        if alone is None:
            raise ValueError(f'"{shown(value)}" does not start with an IP address; {example}')
        right = example if alone.is_unspecified else f'right would be "{_written(alone)}:{usual}"'
        raise ValueError(f'"{shown(value)}" has no port; {right}')
    if isinstance(address, ipaddress.IPv6Address) and (not host.startswith("[") or address.scope_id):
        raise ValueError(ipv6)
    if not (port.isascii() and port.isdecimal() and not port.startswith("0") and int(port) <= 65535):
        raise ValueError(f'"{shown(value)}" has no valid port; {example}')
    if address.is_unspecified or address.is_multicast:
        raise ValueError(f'"{shown(value)}" is not one address of the host; {example}')
    return f"{_written(address)}:{port}"


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that the text is, with or without square brackets; None where it is none."""
    try:
        return ipaddress.ip_address(text[1:-1] if text.startswith("[") and text.endswith("]") else text)
    except ValueError:
        return None


def _written(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    return f"[{address}]" if address.version == 6 else str(address)
