"""The next step for each thing that can be wrong, as a text for the operator."""

from __future__ import annotations

from gateway.inventory.site import Route
from gateway.onhost.constants import ERROR_LOG, HOME, LOG_FOLDER
from gateway.outside.probe import EXPIRED, Door, Unanswered
from gateway.outside.visit import Visit

# OpenSSL's X509_V_ERR_...
_NOT_YET_VALID, _SELF_SIGNED, _WRONG_NAME = 9, 18, 62
_UNKNOWN_ISSUER = (19, 20, 21)

BALANCER_REACHES_NO_HOST = (
    "see its health check (GET /healthz on 80), and on the hosts that nginx runs: systemctl status nginx"
)
BALANCER_KEEPS_HTTP = (
    "remove the load balancer's listener for plain http, or have it redirect to https with path and query, or pass on "
    "X-Forwarded-Proto: http from a network in slb_cidrs and deploy"
)
EARLY_HINTS = "have the platform's front leave out Early Hints, or run nginx 1.29 or newer on the host"
DNS_PAST_BALANCER = "have the domain's DNS record name the load balancer: by this address visitors get nothing"
UNKNOWN_HOST = (
    "where every page is answered so, the application does not know the domain: add it to the names that it allows "
    "(ALLOWED_HOSTS in Django, server_name in nginx)"
)
REDEPLOY = "deploy; if it stays, see whether the domain's address is the right host"


def balancer_port(public_port: int, port: int) -> str:
    """Where a load balancer reaches no host by one of its ports, and reaches them by others."""
    return (
        f"see that its listener on {public_port} sends to the hosts' {port}, that their security group "
        "or firewall lets it in there, and its health check for that port; else the platform's own front says so"
    )


def not_served(visit: Visit) -> str:
    """Where something else answers than this site on the gateway."""
    if visit.through_balancer:
        return "deploy; if it stays, see that the load balancer sends this domain to these hosts with Host unchanged"
    return REDEPLOY


def renewal(visit: Visit) -> str:
    """Where the certificate has expired or soon will."""
    if visit.through_balancer:
        return "renew it and put it on the load balancer's listeners, 443 and the others"
    return f"renew it, python -m gateway import-cert {visit.site.domain} FILE..., and deploy"


def untrusted_certificate(visit: Visit, code: int) -> str:
    """Where the certificate was not believed. `code` is OpenSSL's reason, X509_V_ERR_..."""
    if code == EXPIRED:
        return renewal(visit)
    if code == _NOT_YET_VALID:
        return "see this machine's clock, and that of who made the certificate"
    if code == _WRONG_NAME:
        return (
            f"the {visit.front} shows another site's certificate: see that the domain's address is the right one, and "
            f"which certificate is set for {visit.site.domain} there"
        )
    if code == _SELF_SIGNED or code in _UNKNOWN_ISSUER:
        return (
            f"phones refuse it too unless they know its CA: give the {visit.front} the intermediate certificates "
            "behind the site's own; for a CA of your own run with --ca FILE"
        )
    return f"put a certificate that is valid for {visit.site.domain} on the {visit.front}"


def unanswered(visit: Visit, door: Door, why: Unanswered) -> str:
    """Where a connection or a request got no answer."""
    if visit.by_tcp and why.kind != "outdated":
        return _by_tcp(door, why)
    if why.kind == "refused":
        if visit.through_balancer:
            return f"give the load balancer a listener on {door.port}"
        return "see whether nginx runs (python -m gateway status), then systemctl status nginx on the host"
    if why.kind == "unreachable":
        return f"open port {door.port} in the firewall or security group of the {visit.front}; is it up?"
    if why.kind == "outdated":
        return f"allow TLS 1.2 and 1.3 on the {visit.front}'s listener on {door.port}"
    if why.kind == "handshake":
        if visit.through_balancer:
            return f"see that its listener on {door.port} speaks https and has this domain's certificate"
        return "deploy: nginx refuses names that it has no site for; is the address the right host?"
    if visit.through_balancer:
        return "see its backends: is the host in it, is its health check green, does nginx run?"
    return f"see python -m gateway status, and on the host: tail {LOG_FOLDER}/*error.log"


def _by_tcp(door: Door, why: Unanswered) -> str:
    """The same behind a load balancer of layer 4."""
    header = "with the PROXY protocol, version 1 or 2" if door.tls else "without the PROXY protocol"
    if why.kind == "refused":
        return f"give the load balancer a TCP listener on {door.port}, {header}"
    if why.kind == "unreachable":
        return f"open port {door.port} in the security group of the load balancer; is it up?"
    if door.tls:
        return (
            f"see that the load balancer's TCP listener on {door.port} sends the PROXY protocol, version 1 or 2, from "
            "a network in the host's proxy_protocol: without it, or from elsewhere, nginx closes the connection; is "
            "the host in it, and does nginx run?"
        )
    return f"see that its TCP listener on {door.port} sends no PROXY protocol; is the host in it, and does nginx run?"


def gateway_error(visit: Visit, route: Route, status: int) -> str:
    """Where the gateway answers a route with an error page of its own."""
    if status in (500, 502, 503, 504):
        upstream = route.upstream
        log = f"tail {ERROR_LOG} says why"
        if upstream.servers:
            asked = ", ".join(upstream.servers)
            return f"the gateway gets no answer for {upstream.authority} from {asked}: on the host, {log}"
        return (
            f"the gateway gets no answer from {upstream.authority}: on the host, {log}, and cat "
            f"{HOME}/upstreams/{upstream.host}_{upstream.port}.conf shows which addresses it asks"
        )
    if status == 429:
        return "the site's rate_limit is used up; try again, or raise it"
    return not_served(visit)


def bad_gateway(visit: Visit) -> str:
    """Where a 502, 503 or 504 comes from another proxy than the gateway."""
    if visit.through_balancer:
        return f"the load balancer reaches no host: {BALANCER_REACHES_NO_HOST}"
    return "the platform's own front answers so: ask its staff"
