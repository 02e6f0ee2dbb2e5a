"""Keys of a site or a platform that stand beside `sites` or in group data, where nobody reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyinfra.api import Host

from gateway.inventory.model import Platform, SiteEntry
from gateway.problems import Problem

# A host or a group may name the platform of all its sites.
SITE_KEYS = SiteEntry.model_fields.keys() - {"platform"}
PLATFORM_KEYS = Platform.model_fields.keys() - SITE_KEYS


def problems(host: Host) -> list[Problem]:
    """An error for each site's key, a warning for each platform's. It names the host where its own data has the key.

    In a group's data, or that of all hosts, the key is of no single host.
    """
    found = []
    for name, place, data in _places(host):
        for key in sorted(SITE_KEYS & data.keys()):
            text = (
                f"is a site's key, and nobody reads it {place}; write it into each site's dict: "
                f'"sites": [{{"domain": "wx.school.edu.cn", "{key}": ...}}]'
            )
            found.append(Problem(name, "", key, text.replace('"domain": "wx.school.edu.cn", "domain"', '"domain"')))
        # variables of which group_data/all.py makes its platforms stand in the same file
        for key in sorted(PLATFORM_KEYS & data.keys()) if "all.py" not in place else ():
            text = f"is a platform's key, and nobody reads it {place}; write it into `platforms` in group_data/all.py"
            found.append(Problem(name, "", key, text, "warning"))
    return found


def _places(host: Host) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Everything that the host's data comes from: the host's name where it is the host's own, else "", where it stands
    in words, and the data."""
    inventory = host.inventory
    yield host.name, 'beside "sites"', host.host_data
    yield "", "after --data", inventory.get_override_data()
    yield "", "in the data of all hosts (group_data/all.py)", inventory.get_data()
    for group in host.groups:
        yield "", f'in the data of the group "{group}" (group_data/{group}.py)', inventory.get_group_data(group)
