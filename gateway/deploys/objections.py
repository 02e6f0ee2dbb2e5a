"""Why a host cannot be deployed to as it is, and what an operator is only told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.deploys import guards
from gateway.deploys.state import HostState
from gateway.deploys.surroundings import Listener
from gateway.fleet.host import Host
from gateway.inventory.site import Site
from gateway.nginx import modules
from gateway.onhost.constants import HOME, RELEASE_PORT

# What `nginx -V` says of modules that metrics needs.
_STATUS, _NO_SSI = "--with-http_stub_status_module", "--without-http_ssi_module"


def objections(host: Host, known: HostState) -> list[str]:
    """Sentences that name what is in the way and what to do. Empty where the host can take a release."""
    around = known.around
    if around.init:
        return [
            f"this host is not run by systemd (its process 1 is {around.init}), which starts nginx and the gateway's "
            "timers; deploy to a server or virtual machine, not into a plain container"
        ]
    if host.serves_nothing:
        return [*_which_nginx(known), *_broken(known)]
    found = [*_which_nginx(known), *_foreign_nginx(known), *_unit(known), *_rpm(host, known)]
    if not found:
        found = [
            *_replaced(host, known),
            *_configuration(known),
            *_metrics(host, known),
            *_ports(host, known),
            *_names(host, known),
            *_proxied(host, known),
        ]
        found += modules.refusals(host, known.build) if known.build else []
        found += [*_asked_by_itself(host, known), *guards.refusals(host, known.guards)]
    return found


def announcements(known: HostState) -> list[str]:
    """What a deploy is going to do to the host that somebody may not expect."""
    if known.installed and known.around.file_state == "disabled":
        return ["nginx is disabled on this host; it will be enabled, so that the sites come up after a reboot"]
    if known.installed and not known.layout.unit:
        return [
            f"no unit of systemd starts {known.layout.program}: whatever starts it now has to do so after a reboot "
            "too, and a deploy cannot start it where it has ended"
        ]
    return []


def remarks(host: Host, known: HostState) -> list[str]:
    """What does not stop a deploy but has to be told."""
    texts = []
    if known.unresolved:
        names = ", ".join(known.unresolved)
        texts.append(f"does not resolve on this host, its sites answer 502 until it does: {names}")
    texts += [
        f"{address} is an address that another site of this host has to itself by its `listen`: what comes to it "
        "never reaches the gateway; have DNS and the load balancer name another address of this host"
        for address in addresses_of_others(host, known)
    ]
    texts += [*_narrow_tls(host, known), *_asked_by_address(host, known), *guards.remarks(host, known.guards)]
    return texts


def addresses_of_others(host: Host, known: HostState) -> dict[str, list[str]]:
    """Addresses with a port of the host's sites that a foreign site has to itself, so that the gateway is never asked
    there; with those domains of the host's sites that the foreign site has too."""
    ports = host.listeners()
    domains = {site.domain for site in host.sites}
    return {
        address: sorted(domains.intersection(names))
        for address, names in sorted(known.neighbours.apart.items())
        if int(address.rpartition(":")[2]) in ports
    }


def _which_nginx(known: HostState) -> Iterator[str]:
    """An nginx that a deploy cannot tell to be the one to use, or that a package would replace."""
    around = known.around
    if known.installed is None and known.foreign:
        yield (
            f"{known.layout.program} does not say which version of nginx it is, and a deploy cannot tell what it can "
            f"do; see what {known.layout.program} -V prints, or deploy to another host"
        )
    elif known.installed is None:
        running = [one for one in around.nginx if one.pid]
        there = ", ".join(map(str, around.nginx))
        if len(running) > 1:
            yield (
                "several nginx run on this host, and a deploy cannot tell which one is to serve the sites: "
                f"{there}; stop those that are not, or deploy to another host"
            )
        elif there or around.foreign_unit:
            unit = [f"the unit {around.foreign_unit}"] if around.foreign_unit else []
            by = " and ".join([*([there] if there else []), *unit])
            yield (
                f"this host has an nginx of its own, and a deploy cannot tell how it is run: {by}. A package's nginx "
                "would take its place and its sites would be gone; start it, then deploy again, or remove it"
            )


def _foreign_nginx(known: HostState) -> Iterator[str]:
    """The nginx to use does not run, or not as a deploy can reload it."""
    around, layout = known.around, known.layout
    if known.installed is None:
        return
    if known.foreign and not around.main_pid:
        # A script in init.d counts as started though its nginx has ended.
        start = f"systemctl restart {layout.unit}" if layout.unit else layout.program
        if known.current:
            # What says which one has the release.
            start += f" (where another nginx has its place now: rm {HOME}/nginx)"
        yield (
            f"this host's own nginx, {layout.program}, does not run, and a deploy goes by the running one; start it, "
            f"then deploy again: {start}"
        )
    for one in around.nginx:
        if (one.program, one.unit) == (layout.program, layout.unit):
            yield (
                f"two nginx run under {layout.unit}, as while one takes the other's place: pid {around.main_pid} and "
                f"pid {one.pid}; let that end (kill -QUIT the older one), then deploy again"
            )
        elif one.unit == layout.unit:
            yield (
                f"{layout.unit} runs {one}, which is not the nginx of the installed package; have the unit run "
                f"{layout.program} again (systemctl cat {layout.unit} shows what changed it), or deploy to another host"
            )
        elif one.program == layout.program and not known.foreign and around.active_state != "active":
            by = one.unit or "no unit of systemd"
            yield (
                f"nginx runs as pid {one.pid} under {by}, not under {layout.unit}, by which a deploy reloads it; stop "
                f"it there and start it with: systemctl enable --now {layout.unit}"
            )


def _unit(known: HostState) -> Iterator[str]:
    if known.around.load_state == "masked":
        yield (
            f"{known.layout.unit} is masked on this host, so somebody does not want nginx to run; where that is over: "
            f"systemctl unmask {known.layout.unit}"
        )


def _rpm(host: Host, known: HostState) -> Iterator[str]:
    """What an RPM system cannot have, or lacks."""
    manager = known.layout.packages
    if not manager:
        yield (
            "this host has none of the package managers apt, dnf and yum, by which a deploy installs what is missing; "
            "deploy to another host"
        )
    if not known.layout.is_rpm:
        return
    if known.installed is None and known.candidate is None and not known.epel:
        yield (
            f"{manager} on this host knows neither nginx nor epel-release, which brings it; add a repository that has "
            f"nginx ({manager} repolist shows those that there are), then deploy again"
        )
    if domains := [site.domain for site in host.sites if site.acme]:
        yield (
            f"{', '.join(domains)}: certificates from an ACME server are not supported on an RPM system; take "
            '"cert" away and put the certificate into files/certs/, or deploy to a Debian'
        )


def _broken(known: HostState) -> Iterator[str]:
    if known.broken:
        yield (
            "nginx's configuration on this host is broken already, without this release, and would not come up after "
            f"a reboot; mend it first: {known.broken}"
        )


def _configuration(known: HostState) -> Iterator[str]:
    yield from _broken(known)
    if not known.broken and known.installed is not None and not known.neighbours.included:
        yield (
            f"{known.layout.main_file} on this host has no http block of its own and includes no folder of *.conf "
            "files in one, so nginx would never read a release; add this line to the http block: include "
            f"{known.layout.folder}/conf.d/*.conf;"
        )


def _replaced(host: Host, known: HostState) -> Iterator[str]:
    """Files that the sites are to take the place of and cannot."""
    there = {one.file for one in known.replaced} | known.aside
    folder = known.layout.folder
    for path in host.replaces:
        if path not in there and not known.broken:
            files = ", ".join(sorted({one.file for one in known.neighbours.servers})) or "no file"
            yield (
                f'"replaces" names {path}, in which this host\'s nginx reads no server; it reads servers of others in '
                f"{files}: correct the entry"
            )
        elif path.startswith(f"{folder}/") and path.count("/") != folder.count("/") + 2:
            yield (
                f'"replaces" names {path}, which does not lie in a folder directly below {folder}, and without it a '
                "deploy cannot test nginx; move it into such a folder that nginx.conf includes by a pattern, reload "
                "nginx, then deploy again"
            )


def _ports(host: Host, known: HostState) -> Iterator[str]:
    """What keeps nginx from listening where the sites need it."""
    ports = host.listeners()
    for port in sorted({*ports, RELEASE_PORT}):
        held = [one for one in known.around.listeners if one.port == port]
        others = [one for one in held if not is_nginx(one, known)]
        if others:
            yield (
                f"nginx cannot listen where the release needs it: port {port} is held by "
                f"{' and '.join(dict.fromkeys(map(str, others)))}; free the port, then deploy again"
            )
        elif port in ports:
            yield from _own_sockets(port, held, known)
    if host.egress:
        yield from _own_port("egress", host.egress.listen, known)
    if host.metrics:
        yield from _own_port("metrics", host.metrics.listen, known)


def _metrics(host: Host, known: HostState) -> Iterator[str]:
    """What keeps a host from measuring itself."""
    if not host.metrics:
        return
    if known.layout.is_rpm:
        yield (
            "metrics needs mtail, which the repositories of RPM systems do not have; take metrics out of this host's "
            "entry, or put its sites on Debian 11 or later"
        )
    built = {_STATUS} if known.built is None else known.built
    lacks = [] if _STATUS in built else ["http_stub_status_module"]
    lacks += ["http_ssi_module"] if _NO_SSI in built else []
    if lacks:
        yield (
            f"metrics needs nginx's {' and '.join(lacks)}, which this nginx was built without; have the host's nginx "
            "built with it, or take metrics out of this host's entry"
        )


def is_nginx(listener: Listener, known: HostState) -> bool:
    """Whether the listener is the nginx that the gateway reloads."""
    around = known.around
    # By the unit too: a worker may have a smaller process id than the main process, and is what was seen then.
    return known.installed is not None and (
        listener.unit == known.layout.unit or (bool(around.main_pid) and listener.pid == around.main_pid)
    )


def _own_sockets(port: int, held: Iterable[Listener], known: HostState) -> Iterator[str]:
    """nginx's own sockets that keep it from taking every address: it opens new sockets before it closes old ones."""
    held = list(held)
    neighbours = known.neighbours
    if port in neighbours.both_families:
        yield (
            f"another site of this host, in {neighbours.both_families[port]}, takes port {port} of IPv4 and IPv6 with "
            f"one socket (ipv6only=off), and the gateway's own would not open beside it; write \"listen {port}; "
            f'listen [::]:{port};" there, then: nginx -t && systemctl restart nginx'
        )
        return
    if port in neighbours.streams:
        yield (
            f"a stream server of this host, in {neighbours.streams[port]}, listens on port {port}, which the sites "
            "need; give it another port, or deploy to another host"
        )
    for version in (4, 6):
        mine = [one for one in held if one.version == version]
        alone = {one.text: neighbours.apart_in[one.text] for one in mine if one.text in neighbours.apart_in}
        if alone and not any(one.address is None for one in mine):
            yield (
                f"another site of this host, in {', '.join(sorted(set(alone.values())))}, has nginx listen on "
                f"{', '.join(sorted(alone))} alone, and nginx cannot take port {port} of every address while it holds "
                f'that one; write "listen {port};" there in place of the address, then: nginx -t && '
                "systemctl restart nginx"
            )


def _own_port(key: str, listen: str, known: HostState) -> Iterator[str]:
    host, _, port = listen.rpartition(":")
    for one in known.around.listeners:
        same = one.address is None or str(one.address) == host.strip("[]")
        if one.port == int(port) and same and not is_nginx(one, known):
            yield f"nginx cannot listen on {listen} for {key}: port {port} is held by {one}; free it and deploy again"
            return


def _names(host: Host, known: HostState) -> Iterator[str]:
    for site in host.sites:
        for port, file in sorted(_also_served(site, known).items()):
            yield (
                f"another site of this host has {site.domain} on port {port} as well, in {file}, and one of the two "
                'would never answer; name the file in "replaces" of this host, and the deploy puts it aside, or remove '
                "one of them"
            )
    for address, domains in addresses_of_others(host, known).items():
        if domains:
            yield (
                f"another site of this host has {', '.join(domains)} on {address}, an address that it has to itself, "
                "and the gateway would never be asked there; remove one of them"
            )
    ports = host.listeners()
    for spec, default in sorted(known.neighbours.defaults.items()):
        if not default.explicit and default.entry is None and int(spec.rpartition(":")[2]) in ports:
            yield (
                f"a site of this host in {default.file} is the default of port {spec} by its place alone, and "
                f"nginx would read the gateway before it; write it down there: listen {spec} default_server;"
            )


def _also_served(site: Site, known: HostState) -> dict[int, str]:
    """The ports of a site on which somebody else's server, on every address, has its domain, with the file."""
    found: dict[int, str] = {}
    for server in known.neighbours.servers:
        if site.domain in map(str.lower, server.names):
            for port in site.listeners().keys() & server.everywhere():
                found.setdefault(port, server.file)
    return found


def _proxied(host: Host, known: HostState) -> Iterator[str]:
    """Sockets on which the PROXY protocol would be expected for everybody's sites, or nobody's, and is not to be."""
    listeners = host.listeners()
    for spec, default in sorted(known.neighbours.defaults.items()):
        port = int(spec.rpartition(":")[2])
        if port not in listeners:
            continue
        wanted, found = bool(host.proxy_protocol) and listeners[port], known.neighbours.proxied.get(spec)
        if wanted and not found:
            yield (
                f"another site of this host, in {default.file}, listens on port {spec} without proxy_protocol, which "
                "nginx would expect from its visitors too, and close their connections; where they come by the same "
                f'load balancer, write "listen {spec} ssl proxy_protocol;" there, else move it to another host'
            )
        elif found and not wanted:
            yield (
                f"another site of this host, in {found}, has nginx expect the PROXY protocol on port {spec}, and "
                "visitors of the release's sites, who come without it, would get nothing; take the flag away there or, "
                'where all come to TLS by one load balancer, name its networks in "proxy_protocol" of this host'
            )


def _asked_by_itself(host: Host, known: HostState) -> Iterator[str]:
    """Addresses of somebody else's on which a host behind a load balancer of layer 4 asks itself by TLS."""
    for port, encrypted in sorted(host.listeners().items()):
        file = known.neighbours.loopback.get(port)
        if host.proxy_protocol and encrypted and file:
            yield (
                f"another site of this host, in {file}, listens on 127.0.0.1:{port}, where with proxy_protocol the "
                "host asks the gateway by TLS, and nginx would speak TLS for that site too; give it another port"
            )


def _asked_by_address(host: Host, known: HostState) -> Iterator[str]:
    """Plain ports of sites behind load balancers on which another site answers whoever asks by address."""
    plain = {site.entry_port for site in host.sites if site.edge == "slb"}
    for port in sorted(plain):
        default = known.neighbours.defaults.get(str(port))
        if default:
            yield (
                f"another site of this host, in {default.file}, is the default of port {port} and answers whoever asks "
                "by address: have the load balancer's health check of /healthz send a domain of this host as Host"
            )


def _narrow_tls(host: Host, known: HostState) -> list[str]:
    """Default servers without TLS 1.3: OpenSSL settles the version by them, before it knows which name is asked for."""
    encrypted = {port for port, tls in host.listeners().items() if tls}
    texts = []
    for spec, default in sorted(known.neighbours.defaults.items()):
        if int(spec.rpartition(":")[2]) in encrypted and default.protocols and "TLSv1.3" not in default.protocols:
            texts.append(
                f"the default of port {spec} is another site's server in {default.file}, which allows "
                f"{', '.join(default.protocols)} alone, and that counts for the gateway's sites there too; add TLSv1.3 "
                "to its ssl_protocols"
            )
    return texts
