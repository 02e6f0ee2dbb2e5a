"""What a host exposes to Prometheus: the listener's page, and the lists and programs that its parts need.

The page is put together by nginx's SSI whenever it is asked for, out of what mtail counts from the requests' log and
what scripts/metrics.sh writes down every minute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from gateway import product, rendering
from gateway.inventory.site import Upstream
from gateway.nginx import egress
from gateway.nginx.plan import Plan
from gateway.nginx.release import File
from gateway.nginx.upstreams import Block
from gateway.onhost import scripts

_FOLDER = "metrics"


def files(plan: Plan) -> Iterator[tuple[str, File]]:
    """The files of a release that its metrics need beside the listener: programs, units, and the list of upstreams."""
    places = plan.build.layout.for_scripts()
    yield "metrics.sh", File(scripts.text("metrics", places).encode())
    for name in product.templates(_FOLDER):
        folder = "units" if name.endswith((".service", ".timer")) else _FOLDER
        yield f"{folder}/{name}", File(rendering.text(_FOLDER, name).encode())
    yield f"{_FOLDER}/upstreams", File("".join(f"{line}\n" for line in _upstreams(plan)).encode())


def _upstreams(plan: Plan) -> Iterator[str]:
    """A line for each upstream: label, name, port, scheme, its authorities' file, and its servers where it names them.

    "-" stands for the host's trust store.
    """
    asked = [block.upstream for block in plan.upstreams]
    if plan.host.egress:
        asked += [one for one in egress.UPSTREAMS if one not in asked]
    for label, one in _labelled(asked):
        ca = one.ca.removeprefix("files/") or "-"
        yield " ".join([label, one.host, str(one.port), one.scheme, ca, *one.servers])


def _labelled(upstreams: Iterable[Upstream]) -> Iterator[tuple[str, Upstream]]:
    """Name and port of each; where several have the same, the name of its block tells them apart."""
    upstreams = list(upstreams)
    shared = Counter((one.written_host, one.port) for one in upstreams)
    for one in upstreams:
        plain = f"{one.written_host}:{one.port}"
        yield (plain if shared[one.written_host, one.port] == 1 else f"{plain}#{Block(one).name[-8:]}"), one
