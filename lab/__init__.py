"""Real hosts in Docker to try the gateway on, without touching anyone's server.

Importing this package is cheap: inventories read addresses from `lab.topology`.
"""

from collections.abc import Sequence

from lab.errors import LabError
from lab.progress import Say, silent

__all__ = ["LabError", "down", "up"]


def up(
    hosts: Sequence[str] = ("gw-slb", "gw-tls"),
    suite: str = "bookworm",
    progress: Say = silent,
    basis: str = "bare",
) -> None:
    """Brings up the network, the stand-ins and `hosts` on Debian `suite`; returns when all of them answer.

    `basis` is "bare"; "packaged", with Debian's nginx as its package leaves it and without a gateway; "stocked", from
    which `lab.kinds` makes hosts that are not bare; "sshd", a stocked one without systemd; or "rpm", an RPM system
    without nginx.

    Idempotent. Hosts that are up already keep what is installed on them, unless their image changed;
    hosts not named are left alone.
    """
    from lab import lifecycle

    lifecycle.up(hosts, suite, progress, basis)


def down(keep_images: bool = False, progress: Say = silent) -> None:
    """Removes everything that the lab made, also what an interrupted run left behind.

    With `keep_images` the images stay, with the keys and the CA they were built for.
    """
    from lab import lifecycle

    lifecycle.down(keep_images, progress)
