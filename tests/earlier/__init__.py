"""What earlier versions of the product have left on hosts, each as a deploy of that version left it on a real one.

<version>.tar.gz has that host's files below /: the gateway's folder, its links in nginx's folders and in systemd's, and
nginx.conf of Debian 12. The sites are a.edu.example (wanxiao_prod, with a verification file) and b.edu.example
(wanxiao_test), both at edge slb.
"""

from __future__ import annotations

from pathlib import Path

VERSIONS = ("0.1.0", "0.2.0")
SITES = (
    {"domain": "a.edu.example", "edge": "slb", "platform": "wanxiao_prod"},
    {"domain": "b.edu.example", "edge": "slb", "platform": "wanxiao_test", "slb_cidrs": ["10.0.0.0/24"]},
)
# The verification file of a.edu.example has this code in its name and body.
CODE = "AbCdEfGhIjKlMnOp"


def archive(version: str) -> Path:
    return Path(__file__).parent / f"{version}.tar.gz"
