"""The containers of the stand-in platforms.

The first has the production names, with certificates that the hosts trust; the second is another node of the same,
without a name.
"""

import http.client

from lab import containers, hosts, pki
from lab.images import infra_image
from lab.progress import Say
from lab.topology import (
    LAB,
    PLATFORM_NAMES,
    PRIVATE_CA,
    PRIVATE_NAME,
    SELF_SIGNED_NAME,
    STANDIN_NAMES,
    STATE,
    WRONG_CERT_NAME,
    address,
)

_CERTIFICATES = STATE / "platform" / "certs"


def ensure(say: Say) -> None:
    """Sees that the stand-ins run and answer."""
    for name in PLATFORM_NAMES:
        pki.issue(name, [name], _CERTIFICATES / name)
    pki.issue("other-name.example", ["other-name.example"], _CERTIFICATES / WRONG_CERT_NAME)
    pki.issue_self_signed(SELF_SIGNED_NAME, _CERTIFICATES / SELF_SIGNED_NAME)
    pki.issue(PRIVATE_NAME, [PRIVATE_NAME], _CERTIFICATES / PRIVATE_NAME, PRIVATE_CA)
    _ensure("platform", STANDIN_NAMES, say)
    _ensure("node-b", (), say)


def _ensure(name: str, aliases: tuple[str, ...], say: Say) -> None:
    spec = containers.Spec(
        name=name,
        image=infra_image(),
        options=(
            *(word for alias in aliases for word in ("--network-alias", alias)),
            *("--workdir", "/srv", "--stop-signal", "SIGKILL"),
        ),
        command=("python3", "-m", "standin", "/srv/certs", PLATFORM_NAMES[0]),
        files={LAB / "standin": "/srv/standin", _CERTIFICATES: "/srv/certs"},
    )
    started = containers.ensure(spec)
    hosts.wait_until(lambda: _answers(name), f"{name}: the stand-in does not answer at {address(name)}")
    if started:
        say(f"{name}: stand-in up at {address(name)}, with {len(aliases)} names")


def _answers(name: str) -> bool:
    connection = http.client.HTTPConnection(address(name), 80, timeout=2)
    try:
        connection.request("GET", "/__lab__/stats")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
