"""Whether the current folder's own templates can be rendered, found out before any host is asked."""

from __future__ import annotations

from collections.abc import Iterable

from gateway import product
from gateway.fleet.host import Host
from gateway.nginx import tree
from gateway.nginx.build import Build
from gateway.nginx.tls_profile import Version
from gateway.problems import Problem
from gateway.rendering import BrokenTemplateError

# Debian 12's nginx, for where it is not known yet which one a host has or will get.
LIKELY_BUILD = Build(Version((1, 22, 1)))


def problems(hosts: Iterable[Host]) -> list[Problem]:
    """What goes wrong where the hosts' sites are rendered, each fault once. Empty where every template is the
    product's: those are known to be right, and rendering a large fleet takes time."""
    if not product.own_templates():
        return []
    found: dict[Problem, None] = {}
    for host in hosts:
        try:
            tree.tree(host, LIKELY_BUILD)
        except BrokenTemplateError as error:
            found[error.problem] = None
    return list(found)
