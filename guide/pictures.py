"""`python -m guide.pictures`: the guide's screenshots once more, from a run on the lab.

Needs the lab as `make demo` leaves it, and Debian's packages chromium and fonts-wqy-zenhei. Two things are put out of
order before, so that there is something to see: the load balancer leads itsm.slb.demo.example nowhere, and a file of a
release is edited on gw-tls. `make demo` puts both right again.
"""

from __future__ import annotations

import html
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from lab import hosts, slb, topology

IMAGES = Path("docs/images")
INVENTORY = "inventory/demo.py"
# Nothing but the page: no profile of anybody's, no call to a browser maker's servers.
_CHROMIUM = [
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
_COLORS = {"1": "font-weight: bold", "31": "color: #f47067", "32": "color: #57ab5a", "33": "color: #c69026"}
_STYLE = re.compile(r"\x1b\[(\d+)m")
_TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #1c2128; color: #cdd9e5; }}
pre {{ margin: 0; padding: 18px 22px; font: 14px/20px "DejaVu Sans Mono", monospace; }}
</style><pre>{text}</pre>"""

# The WeCom app of the sheet: without it most of a sheet is blanks.
_APP = {"corp_id": "ww1234567890abcdef", "agent_id": 1000002, "flag": "weixinqy_test_1121"}
_WITH_APP = f"""
from inventory.demo import gateways

for _, _data in gateways:
    for _site in _data["sites"]:
        _site["wecom"] = {_APP!r}
"""


def main() -> None:
    """Writes status.png, verify-report.png and handover-sheet.png into docs/images/."""
    IMAGES.mkdir(exist_ok=True)
    gateway = topology.address("gw-slb")
    nowhere = str(topology.subnet()[-2])
    domains = {f"{name}.slb.demo.example": [gateway] for name in ("card-test", "card")}
    slb.configure({**domains, "itsm.slb.demo.example": [nowhere]})
    edited = "/etc/nginx/wecom-gateway/current/sites/card.tls.demo.example.conf"
    hosts.exec_in("gw-tls", ["sh", "-c", f"echo '# by hand' >> {edited}"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _status(folder)
        _report(folder)
        _sheet(folder)


def _status(folder: Path) -> None:
    arguments = ["status", INVENTORY, "--no-outside"]
    output = _on_a_terminal([sys.executable, "-m", "gateway", *arguments])
    prompt = f"$ python -m gateway {' '.join(arguments)}\n"
    page = folder / "status.html"
    page.write_text(_TERMINAL.format(text=html.escape(prompt) + _coloured(output)), encoding="utf-8")
    _shoot(page, "status.png", 1380, 36 + 20 * (1 + output.count("\n")))


def _report(folder: Path) -> None:
    where = {"slb": topology.address("slb"), "tls": topology.address("gw-tls")}
    resolve = [
        f"--resolve={name}.{edge}.demo.example:{address}"
        for edge, address in where.items()
        for name in ("card-test", "card", "itsm")
    ]
    page = folder / "report.html"
    _gateway("verify", INVENTORY, "--ca", str(topology.CA), "--report", str(page), *resolve)
    _shoot(page, "verify-report.png", 900, 760)


def _sheet(folder: Path) -> None:
    inventory = folder / "with_app.py"
    inventory.write_text(_WITH_APP)
    _gateway("handover", str(inventory), "--out", str(folder))
    _shoot(folder / "card.slb.demo.example.html", "handover-sheet.png", 900, 765)


def _gateway(*arguments: str) -> None:
    """A command whose exit code says what was found, not that it failed."""
    subprocess.run([sys.executable, "-m", "gateway", *arguments], capture_output=True)


def _on_a_terminal(command: list[str]) -> str:
    """What the command prints where it may use colours."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, close_fds=True):
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 4096):
                parts.append(part)
        except OSError:  # Linux's way of saying that the terminal's other end was closed
            pass
    os.close(ours)
    return b"".join(parts).decode().replace("\r\n", "\n")


def _coloured(text: str) -> str:
    """Terminal text as HTML; code 0, which ends a colour, has none of its own."""
    parts = _STYLE.split(html.escape(text))
    pairs = zip(["0", *parts[1::2]], parts[::2], strict=True)
    return "".join(f'<span style="{_COLORS.get(code, "")}">{part}</span>' for code, part in pairs)


def _shoot(page: Path, name: str, width: int, height: int) -> None:
    with tempfile.TemporaryDirectory() as profile:
        target = f"--screenshot={IMAGES.resolve() / name}"
        size = f"--window-size={width},{height}"
        command = [*_CHROMIUM, f"--user-data-dir={profile}", size, target, page.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    print(IMAGES / name, (IMAGES / name).stat().st_size)


if __name__ == "__main__":
    main()
