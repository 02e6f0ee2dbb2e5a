"""A domain on several hosts: they must be nodes of one site, and only one of them can answer an ACME server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.fleet.host import Host
from gateway.problems import Problem


def problems(hosts: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Problem]:
    """An error for each host that has a domain with another platform than the first host that has it.

    `hosts` are names, each with the host's data. Other differences can be meant, for example while a site moves to a
    load balancer. With two platforms a visitor reaches one school's system or another's by chance.
    """
    first: dict[str, tuple[str, str]] = {}
    found = []
    for name, data in hosts:
        sites = data.get("sites")
        for site in sites if isinstance(sites, list | tuple) else ():
            domain = site.get("domain") if isinstance(site, Mapping) else None
            platform = (site.get("platform") or data.get("platform")) if domain else None
            if not isinstance(domain, str) or not isinstance(platform, str):
                continue  # an error of the site's own
            other, theirs = first.setdefault(domain, (name, platform))
            if other != name and theirs != platform:
                text = (
                    f'is "{platform}" here and "{theirs}" on {other}, and a visitor reaches one or the other; write '
                    "the same in both, or take the site off one of them"
                )
                found.append(Problem(name, domain, "platform", text))
    return found


def warnings(hosts: Iterable[Host]) -> list[Problem]:
    """One for each site that gets its certificate from an ACME server and stands on several hosts."""
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
