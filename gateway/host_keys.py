"""A host's keys that nobody reads: pyinfra takes any, so a slip of the finger there is silent."""

from __future__ import annotations

from collections.abc import Iterable

from pyinfra.api.arguments import all_argument_meta
from pyinfra.connectors.ssh import connector_data_meta

from gateway.problems import Problem, nearest

# What the gateway reads of a host (gateway/host.py).
_OWN = frozenset(("sites", "platform", "platforms", "egress"))
_KNOWN = _OWN | connector_data_meta.keys() | all_argument_meta.keys()


def warnings(host: str, keys: Iterable[str]) -> list[Problem]:
    """One for each key that is almost a known one. Keys that resemble none are the operator's own and may stay."""
    given = set(keys)
    found = []
    for key in sorted(given - _KNOWN):
        meant = nearest(key, _KNOWN - given, cutoff=0.8)
        if meant and meant != "sites":  # a host without sites is an error that names the key
            found.append(Problem(host, "", key, f'is read by nobody; did you mean "{meant}"?', "warning"))
    return found
