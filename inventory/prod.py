"""Production. Add a school by adding an entry; docs/reference/keys.md has every key.

The entries below are examples: replace them. Each list is a group; its name picks the platform
(group_data/<name>.py). `python -m gateway check inventory/prod.py` says what is missing.
"""

from gateway.entries import Hosts

# 17wanxiao campus card, production.
wanxiao_prod: Hosts = [
    # Behind a load balancer that terminates TLS: nginx serves plain http on 80 and 9001.
    (
        "203.0.113.10",
        {
            "sites": [
                {"domain": "wx.school-a.edu.cn", "edge": "slb", "slb_cidrs": ["10.0.0.0/24"]},
            ]
        },
    ),
    # No load balancer: nginx terminates TLS on 443 and 9001. Needs files/certs/wx.school-b.edu.cn/.
    (
        "203.0.113.11",
        {
            "sites": [
                {"domain": "wx.school-b.edu.cn", "edge": "tls"},
            ]
        },
    ),
]

# BlueKing ITSM: only the mobile paths of the named apps are published.
bkitsm: Hosts = [
    (
        "203.0.113.20",
        {
            "sites": [
                {
                    "domain": "itsm.example.com",
                    "edge": "tls",
                    "bk": {"upstream": "https://paas.inner.example", "apps": ["itsm"], "envs": ["o", "t"]},
                },
            ]
        },
    ),
    (
        "203.0.113.21",
        {
            "sites": [
                {
                    "domain": "itsm.example.org",
                    "edge": "slb",
                    "slb_cidrs": ["10.0.1.0/24"],
                    "bk": {"upstream": "https://paas.inner.example", "apps": ["bk_itsm"]},
                },
            ]
        },
    ),
]
