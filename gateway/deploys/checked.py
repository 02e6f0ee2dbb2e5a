"""The hosts that passed the check before a deploy, handed from the check to the deploy of the same run.

pyinfra runs config.py, where the check is, then the inventory, then deploy.py once for each host, and hands nothing
from one to the other. All of them run in one process, so the result of the check lives in this module.

The inventory file itself runs three times in a deploy: twice in the check, which reads its lists as they are written
(gateway.fleet.groups) and has pyinfra make hosts of it, and once when pyinfra loads it for itself. Certificates and
verification files are read once, in the check.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.fleet.host import Host

_hosts: dict[str, Host] = {}


def keep(hosts: Iterable[Host]) -> None:
    """Keeps the hosts for host(), in place of those that were kept before."""
    _hosts.clear()
    _hosts.update({host.name: host for host in hosts})


def host(name: str) -> Host | None:
    """The host of that name as it passed the check. None where the check did not run, which it does from
    pyinfra's command line alone."""
    return _hosts.get(name)
