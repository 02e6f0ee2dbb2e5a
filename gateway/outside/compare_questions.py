"""What the gateway and an old server are asked alike: harmless GET requests without anything secret in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gateway.inventory.site import Route
from gateway.outside import compare_answers, compare_rules
from gateway.outside.checks import NOWHERE, beside
from gateway.outside.compare_answers import Said, Traits
from gateway.outside.compare_rules import Faults
from gateway.outside.compare_servers import Server
from gateway.outside.probe import UNKNOWN_NAME, Client, Door, Unanswered
from gateway.outside.visit import Visit

# Of a verification file that there is not: 16 letters, as WeCom's files have.
_TOKEN = "WecomGatewayNone"  # noqa: S105  -- nobody's
_JSON = "application/json"


@dataclass(frozen=True)
class _Place:
    """A public door of the site, and `origin`, by which a browser knows it: https behind a load balancer too."""

    visit: Visit
    door: Door
    origin: str

    @property
    def domain(self) -> str:
        return self.visit.site.domain


@dataclass(frozen=True)
class Question:
    """One request, and what is made of the answer.

    `host` is the Host header and `sni` the name in TLS, where they are not the site's. `traits` says what of an answer
    is compared, `faults` what is wrong with it. Where `closed` is True, no answer is one as good as others, and not
    asked for again.
    """

    check: str
    place: _Place
    target: str
    faults: Callable[[Said], Faults]
    traits: Callable[[Said, str], Traits] = compare_answers.of_page
    accept: str = _JSON
    version: str = "1.1"
    host: str = ""
    sni: str = ""
    closed: bool = False

    @property
    def url(self) -> str:
        """As a browser knows it."""
        return f"{self.place.origin}{self.target}"

    @property
    def subject(self) -> str:
        """As it is told: without a query, which may carry a school's own codes."""
        url = self.place.door.url(self.place.domain, self.target.partition("?")[0])
        return f"{url} asked for {self.host}" if self.host else url

    def ask(self, client: Client, server: Server) -> Said:
        """What the server says. A connection that breaks is tried once more, as networks hiccup."""
        said = self._once(client, server)
        again = isinstance(said, Unanswered) and said.kind != "slow" and not self.closed
        return self._once(client, server) if again else said

    def _once(self, client: Client, server: Server) -> Said:
        door, name = server.door(self.place.door), self.sni or self.place.domain
        # whichever port the server has it at; and whether its certificate is believed is told by itself
        host = self.host or self.place.origin.partition("://")[2]
        try:
            return client.ask(
                door, name, self.target, host=host, accept=self.accept, version=self.version, believe=False
            )
        except Unanswered as why:
            return why


def questions(visit: Visit, doors: Sequence[Door]) -> Iterator[Question]:
    """All that is asked through those of the site's doors that can be used."""
    ports = {visit.door(port): port for port in visit.site.ports()}
    for door in doors:
        if door in ports:
            yield from _through(_Place(visit, door, visit.site.public_origin(ports[door])), ports[door])
        else:
            yield from _plain(_Place(visit, door, door.url(visit.site.domain)))


def _through(place: _Place, port: int) -> Iterator[Question]:
    """What is asked through one port of the site."""
    site = place.visit.site
    routes = [route for route in site.routes if route.port == port]
    if port == site.entry_port:
        yield from _files(place)
        yield _made_up_file(place)
    for route in routes:
        yield _page("route", place, route, "")
        if route.path != "/":
            yield _bare(place, route)
    if port == site.entry_port:
        yield from _apps(place, routes)
    for target in beside([route.path for route in routes]):
        yield _unpublished(place, target)
    yield _stranger(place)


def _plain(place: _Place) -> Iterator[Question]:
    """Port 80 as the public sees it. Of a load balancer files are not asked for there, as in `verify`."""
    if place.visit.site.edge == "tls":
        yield from _files(place)
        yield _stranger(place)
    target = f"/{NOWHERE}?a=%2F&b=1"
    expected = f"https://{place.domain}{target}"

    def judge(said: Said) -> Faults:
        return compare_rules.redirect_faults(said, expected, place.visit, place.door)

    yield Question("redirect", place, target, judge)


def _files(place: _Place) -> Iterator[Question]:
    for file in place.visit.target.files:

        def judge(said: Said, body: bytes = file.body) -> Faults:
            return compare_rules.file_faults(said, body, place.visit, place.door)

        target, traits = f"/{file.name}", compare_answers.of_file
        yield Question("verification file", place, target, judge, traits, accept="*/*", version="1.0")


def _made_up_file(place: _Place) -> Question:
    """A catch-all that makes files up lets anybody verify the domain."""

    def judge(said: Said) -> Faults:
        return compare_rules.echo_faults(said, _TOKEN.encode())

    return Question("verification file", place, f"/WW_verify_{_TOKEN}.txt", judge, compare_answers.of_status)


def _page(check: str, place: _Place, route: Route, rest: str) -> Question:
    """A page of the upstream, `rest` below the route's path."""
    url = f"{place.origin}{route.path}{rest}"

    def judge(said: Said) -> Faults:
        return compare_rules.route_faults(said, url, route, rest, place.visit, place.door)

    return Question(check, place, route.path + rest, judge)


def _apps(place: _Place, routes: Sequence[Route]) -> Iterator[Question]:
    """The home URL of each app, where it is another than its route's root."""
    site = place.visit.site
    roots = {route.path for route in routes}
    for entry in site.app_entries:
        path = entry.path.replace("{flag}", site.wecom.flag or NOWHERE)
        covering = [route for route in routes if path.startswith(route.path)]
        if covering and path not in roots:
            route = max(covering, key=lambda one: len(one.path))
            yield _page("app entry", place, route, path.removeprefix(route.path))


def _bare(place: _Place, route: Route) -> Question:
    """A route's path without its last slash, from which nginx redirects by itself: to http, and with its own port."""
    target = route.path[:-1]

    def judge(said: Said) -> Faults:
        return compare_rules.bare_faults(said, f"{place.origin}{target}", place.visit, place.door)

    return Question("redirect", place, target, judge)


def _unpublished(place: _Place, target: str) -> Question:
    def judge(said: Said) -> Faults:
        return compare_rules.unpublished_faults(said, target, place.visit, place.door)

    return Question("allow-list", place, target, judge, compare_answers.of_status)


def _stranger(place: _Place) -> Question:
    """A name that no site has; where a load balancer ends TLS, in the Host header alone."""
    by_tls = place.door.tls and place.visit.site.edge == "tls"
    return Question(
        *("other names", place, "/", compare_rules.stranger_faults, compare_answers.of_service),
        accept="*/*",
        host=UNKNOWN_NAME,
        sni=UNKNOWN_NAME if by_tls else "",
        closed=True,
    )
