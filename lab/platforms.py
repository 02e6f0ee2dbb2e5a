"""The container of the stand-in platforms, which has the production names and certificates that the hosts trust."""

import http.client

from lab import containers, hosts, pki
from lab.images import infra_image
from lab.progress import Say
from lab.topology import (
    LAB,
    PLATFORM_NAMES,
    SELF_SIGNED_NAME,
    STATE,
    WRONG_CERT_NAME,
    address,
)

_CERTIFICATES = STATE / "platform" / "certs"


def ensure(say: Say) -> None:
    """Sees that the stand-in runs and answers."""
    for name in PLATFORM_NAMES:
        pki.issue(name, [name], _CERTIFICATES / name)
    pki.issue("other-name.example", ["other-name.example"], _CERTIFICATES / WRONG_CERT_NAME)
    pki.issue_self_signed(SELF_SIGNED_NAME, _CERTIFICATES / SELF_SIGNED_NAME)
    names = (*PLATFORM_NAMES, WRONG_CERT_NAME, SELF_SIGNED_NAME)
    spec = containers.Spec(
        name="platform",
        image=infra_image(),
        options=(
            *(word for name in names for word in ("--network-alias", name)),
            *("--workdir", "/srv", "--stop-signal", "SIGKILL"),
        ),
        command=("python3", "-m", "standin", "/srv/certs", PLATFORM_NAMES[0]),
        files={LAB / "standin": "/srv/standin", _CERTIFICATES: "/srv/certs"},
    )
    started = containers.ensure(spec)
    hosts.wait_until(_answers, f"platform: the stand-in does not answer at {address('platform')}")
    if started:
        say(f"platform: {len(PLATFORM_NAMES)} stand-ins up at {address('platform')}")


def _answers() -> bool:
    connection = http.client.HTTPConnection(address("platform"), 80, timeout=2)
    try:
        connection.request("GET", "/__lab__/stats")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
