"""The lab's two gateways (`make demo`): every platform at both edges."""

from lab import topology as _topology

_ssh = {
    "ssh_user": _topology.SSH_USER,
    "ssh_key": str(_topology.SSH_KEY),
    "ssh_known_hosts_file": str(_topology.KNOWN_HOSTS),
    "_sudo": True,
}
_bk = {"upstream": "https://paas.inner.example", "apps": ["itsm"], "envs": ["o", "t"]}


def _sites(edge, **more):
    return [
        {"domain": f"card-test.{edge}.demo.example", "edge": edge, "platform": "wanxiao_test", **more},
        {"domain": f"card.{edge}.demo.example", "edge": edge, "platform": "wanxiao_prod", **more},
        {"domain": f"itsm.{edge}.demo.example", "edge": edge, "platform": "bkitsm", "bk": _bk, **more},
    ]


gateways = [
    (
        "gw-slb",
        {
            "ssh_hostname": _topology.address("gw-slb"),
            **_ssh,
            "sites": _sites("slb", slb_cidrs=[f"{_topology.address('slb')}/32"]),
        },
    ),
    ("gw-tls", {"ssh_hostname": _topology.address("gw-tls"), **_ssh, "sites": _sites("tls")}),
]
