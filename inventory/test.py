"""17wanxiao's public test system: try a school here before production. docs/reference/keys.md has every key."""

from gateway.entries import Hosts

wanxiao_test: Hosts = [
    (
        "203.0.113.30",
        {
            "sites": [
                {"domain": "wx-test.school-a.edu.cn", "edge": "slb", "slb_cidrs": ["10.0.0.0/24"]},
            ]
        },
    ),
    (
        "203.0.113.31",
        {
            "sites": [
                {"domain": "wx-test.school-b.edu.cn", "edge": "tls"},
            ]
        },
    ),
]
