"""Certificates that hosts get from an ACME server: whose account asks, and what it proves itself with. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import file_content
from gateway.certificates import pem
from gateway.inventory.model import Acme
from gateway.problems import Problem

if TYPE_CHECKING:
    from gateway.fleet.host import Host
    from gateway.inventory.site import Site

_MAX_BYTES = 1 << 20
_PUT_CA = "put the ACME server's CA certificate there"
# base64url, as authorities hand out the secret of an external account binding.
_HMAC_KEY = re.compile(r"[A-Za-z0-9_-]{16,512}=*")


@dataclass(frozen=True)
class Issued:
    """A certificate that a host got. `order` is the line of orders() that it was asked for with, less the domain."""

    domain: str
    order: str
    # None where it cannot be read
    not_after: datetime | None


def account(acme: Acme) -> str:
    """The name of an account's folder on a host: one for each directory, address and contract."""
    return hashlib.sha256(_identity(acme).encode()).hexdigest()[:16]


def order(acme: Acme) -> str:
    """What decides whose certificate a site has: account, directory, e-mail address and key identifier or "-"."""
    return f"{account(acme)} {_identity(acme)}"


def orders(sites: Iterable[Site]) -> str:
    """The release's file that the scripts on the host go by: a domain and its order on each line."""
    return "".join(sorted(f"{site.domain} {order(site.acme)}\n" for site in sites if site.acme))


def read_issued(values: Mapping[str, str]) -> tuple[Issued, ...]:
    """Out of what the host's state says, `order:<domain>` and `ends:<domain>` of each certificate."""
    domains = [key.removeprefix("order:") for key in values if key.startswith("order:")]
    return tuple(Issued(name, values[f"order:{name}"], read_date(values.get(f"ends:{name}", ""))) for name in domains)


def due(sites: Iterable[Site], issued: Iterable[Issued], failed: Mapping[str, str]) -> list[str]:
    """Domains that a deploy asks a certificate for: without one, with one of another order, or failed last time."""
    have = {one.domain: one.order for one in issued if one.not_after}
    return sorted(
        site.domain
        for site in sites
        if site.acme and (have.get(site.domain) != order(site.acme) or site.domain in failed)
    )


def take_ca(acme: Acme, checkout: Path, cas: MutableMapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Adds the account's CA certificate to `cas`; field and text of what is wrong with it."""
    if acme.ca is None:
        return
    try:
        body = file_content.content(checkout / acme.ca, _MAX_BYTES)
        if len(body) > _MAX_BYTES:
            raise ValueError("is larger than any certificate")
    except OSError as error:
        yield "cert.acme.ca", f"{acme.ca} cannot be read: {error.strerror}; {_PUT_CA}"
        return
    except ValueError as error:
        yield "cert.acme.ca", f"{acme.ca} {error}; {_PUT_CA}"
        return
    try:
        certificates = pem.load_certificates(body, acme.ca)
    except ValueError as error:
        yield "cert.acme.ca", str(error)
    else:
        # Only the certificates: nothing else of the file has a place on a host.
        text = pem.as_pem(certificates)
        known = cas.setdefault(account(acme), text)
        if known != text:
            yield (
                "cert.acme.ca",
                f"another site of this host names another CA for {acme.directory}; use one file for both",
            )


def secrets(sites: Iterable[Site], environment: Mapping[str, str]) -> dict[str, str]:
    """The secrets of external account bindings that are at hand, by account. Raises ValueError, never quoting one."""
    found: dict[str, str] = {}
    for site in sites:
        if site.acme and site.acme.eab and (value := environment.get(site.acme.eab.hmac_key_env, "").strip()):
            if not _HMAC_KEY.fullmatch(value):
                raise ValueError(
                    f"the environment variable {site.acme.eab.hmac_key_env} holds no base64url text; "
                    "copy the HMAC key from the certificate authority's console as it stands there"
                )
            found[account(site.acme)] = value
    return found


def warnings(hosts: Iterable[Host]) -> list[Problem]:
    """One for each site that asks for its certificate on several hosts: the server's visit finds one of them."""
    hosts = list(hosts)
    counted = Counter(site.domain for host in hosts for site in host.sites if site.acme)
    text = (
        "stands on several hosts, and the ACME server's check reaches whichever the DNS names; "
        'on the others no certificate is issued: use "files" there'
    )
    return [
        Problem(host.name, site.domain, "cert", text, "warning")
        for host in hosts
        for site in host.sites
        if site.acme and counted[site.domain] > 1
    ]


def read_date(text: str) -> datetime | None:
    """As `openssl x509 -enddate` writes it: Nov 21 12:00:00 2027 GMT."""
    try:
        return datetime.strptime(text, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    except ValueError:
        return None


def _identity(acme: Acme) -> str:
    return f"{acme.directory} {acme.email} {acme.eab.kid if acme.eab else '-'}"
