"""Bodies of any size pass through a gateway, not into its memory."""

from __future__ import annotations

from .checkout import on_host

GATEWAYS = {"slb": "gw-slb", "tls": "gw-tls"}
PATH = "/o/itsm/weixin/x"
WORKERS = "pgrep -P $(cat /run/nginx.pid)"


def _peak(host: str) -> int:
    """Kilobytes that the largest worker ever had since its peak was cleared."""
    peaks = on_host(host, f"for worker in $({WORKERS}); do grep VmHWM /proc/$worker/status; done")
    return max(int(line.split()[1]) for line in peaks.splitlines())


def test_large_bodies_pass_in_little_memory(ask, edge):
    """What a slow phone or a slow platform leaves waiting lies on disk or waits with its sender."""
    host = GATEWAYS[edge]
    on_host(host, f"for worker in $({WORKERS}); do echo 5 >/proc/$worker/clear_refs; done")
    before = _peak(host)
    size = 200 * 1024 * 1024
    uploaded = ask("itsm", PATH, method="POST", body=b"x" * size, timeout=60)
    assert uploaded.json()["body_length"] == size
    downloaded = ask("itsm", PATH, headers={"X-Lab-Body-Bytes": str(size)}, timeout=60)
    assert len(downloaded.body) == size
    assert _peak(host) - before < 20_000
