"""A host's egress as seen from this machine, which is seldom in one of its allowed networks."""

from __future__ import annotations

from gateway.inventory.model import Egress
from gateway.nginx.egress import UPSTREAMS
from gateway.outside.findings import Finding
from gateway.outside.probe import UNKNOWN_NAME, Client, Door, Unanswered, own_address


def findings(egress: Egress, client: Client) -> list[Finding]:
    """One finding for each name that is tried.

    From an allowed network WeCom's names must pass and another must not; from elsewhere nothing may pass.
    """
    door = Door(str(egress.address), egress.port, tls=True)
    here = own_address(door)
    allowed = here is not None and any(here in network for network in egress.allow)
    if allowed:
        passing = [_passes(door, upstream.host, client) for upstream in UPSTREAMS]
        return [*passing, _refuses(door, UNKNOWN_NAME, client, "only WeCom's names may pass; deploy")]
    name = UPSTREAMS[-1].host
    try:
        client.greet(door, name)
    except Unanswered as why:
        if why.kind in ("refused", "unreachable", "slow"):
            return [
                Finding(
                    "egress",
                    egress.listen,
                    "skipped",
                    f"{why}; from here nothing more can be told",
                    f"on an application server: curl --resolve {name}:{egress.port}:{egress.address} "
                    f"https://{name}:{egress.port}/cgi-bin/gettoken must answer with an errcode",
                )
            ]
        text = "refuses this machine, as it must; whether application servers pass is only to be seen from them"
        return [Finding("egress", egress.listen, "passed", text)]
    text = f"passes calls of this machine ({here}), which is not in allow"
    remedy = "an address translation in between may hide it; else deploy, and see the host's firewall"
    return [Finding("egress", egress.listen, "failed", text, remedy)]


def _passes(door: Door, name: str, client: Client) -> Finding:
    subject = f"{name} through {door.address}:{door.port}"
    try:
        client.greet(door, name)
    except Unanswered as why:
        remedy = "on the host: tail /var/log/nginx/wecom-gateway.egress.log /var/log/nginx/error.log"
        return Finding("egress", subject, "failed", str(why), remedy)
    return Finding("egress", subject, "passed")


def _refuses(door: Door, name: str, client: Client, remedy: str) -> Finding:
    subject = f"{name} through {door.address}:{door.port}"
    try:
        client.greet(door, name)
    except Unanswered as why:
        if why.kind != "certificate":
            return Finding("egress", subject, "passed")
    return Finding("egress", subject, "failed", "passes", remedy)
