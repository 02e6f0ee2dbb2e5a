"""What each location of a server block does at a site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gateway.adopt import conditions, headers, mapping, proxying, verification
from gateway.adopt.directives import Placed, at, named, nearest, path_of
from gateway.adopt.mapping import LeftAloneError
from gateway.adopt.parts import Part, Row
from gateway.adopt.source import Source
from gateway.adopt.words import READ, SAID, blocking
from gateway.checkout.own_directives import location_of
from gateway.problems import shown

# Bundles of the authorities that everybody trusts.
_TRUST_STORES = ("/etc/ssl/certs/", "/etc/pki/", "/etc/ssl/cert.pem", "/usr/share/ca-certificates")
# What of a location says no more than how it is logged or kept.
_IDLE = frozenset(
    ("access_log", "error_log", "log_not_found", "expires", "add_header", "allow", "default_type", "etag")
)


class Locations:
    """Reads the locations of one server block into a part of a site."""

    def __init__(self, part: Part, upstreams: Mapping[str, Placed], source: Source) -> None:
        self._part = part
        self._upstreams = upstreams
        self._source = source
        self._outer = (part.block.directives, part.block.http)
        self._all = named(part.block.directives, "location")
        self._named = {one.first: one for one in self._all if one.first.startswith("@")}
        # nginx asks no expression where the longest prefix has this sign
        prefixes = [one for one in self._all if location_of(one.arguments)[0] == ""]
        self._expressions_are_dead = bool(prefixes) and (
            any(path_of(one) == "/" for one in prefixes) and all(one.first.startswith("^~") for one in prefixes)
        )
        pages = {one.arguments[-1] for one in named(part.block.directives, "error_page") if one.arguments}
        self._idle_pages = {page for page in pages if page.startswith("/")}

    def read(self) -> None:
        """Every location; what cannot be carried over is told in the part."""
        # single pages last: a prefix may cover them
        for one in sorted(self._all, key=_is_page):
            with self._part.told_if_left():
                self._location(one)
        with self._part.told_if_left():
            self._without_location()
        with self._part.told_if_left():
            _after_errors(self._part.block.directives)

    def _without_location(self) -> None:
        """What the server block itself does with paths that no location is for."""
        if any(path_of(one) == "/" and location_of(one.arguments)[0] == "" for one in self._all):
            return
        server = self._part.block.server
        if fallback := self._fallback(server):
            location = replace(server, name="location", arguments=("/",))
            self._route(location, fallback.inner, named(fallback.inner, "proxy_pass")[0])
        self._folder(nearest(self._outer, "root"))

    def _location(self, one: Placed) -> None:
        kind, path = location_of(one.arguments)
        if kind == "@" or (kind == "~" and self._expressions_are_dead) or path in self._idle_pages:
            return
        if ".well-known" in path.replace("\\", ""):
            text = (
                "certificates that a program of this host renews: its challenges are no longer answered; the entry's "
            )
            self._part.differs(one, f'{text}"cert": {{"acme": ...}} has the gateway renew them')
            return
        passed = named(one.inner, "proxy_pass")
        fallback = self._fallback(one)
        if not passed and not fallback and verification.is_location(one):
            verification.of_location(one, self._outer, self._source, self._part.domain, self._part.verify)
            return
        self._look_at(one.inner)
        if passed and _is_page(one) and self._is_covered(one, passed[0]):
            return
        if passed:
            self._route(one, one.inner, passed[0])
        elif fallback:
            self._route(one, fallback.inner, named(fallback.inner, "proxy_pass")[0])
            self._folder(nearest((one.inner, *self._outer), "root"))
        else:
            self._answered_here(one, kind, path)

    def _is_covered(self, page: Placed, passed: Placed) -> bool:
        """Whether a page goes where a prefix around it sends it anyway."""
        path = path_of(page)
        target = proxying.asked(passed, (page.inner, *self._outer), self._upstreams, self._part.domain)
        around = [row for row in self._part.rows if path.startswith(row.path)]
        row = max(around, key=lambda one: len(one.path), default=None)
        goes = target.origin + (path if target.uri is None else target.uri)
        return row is not None and (goes, target.nodes, target.host) == (
            row.upstream + path.removeprefix(row.path),
            row.nodes,
            row.host,
        )

    def _fallback(self, one: Placed) -> Placed | None:
        """The named location that passes on what is no file of a location's folder."""
        for files in named(one.inner, "try_files"):
            found = self._named.get(files.arguments[-1] if files.arguments else "")
            if found and named(found.inner, "proxy_pass"):
                self._look_at(found.inner)
                return found
        return None

    def _look_at(self, block: Sequence[Placed]) -> None:
        """Raises LeftAloneError where something in a location cannot be carried over."""
        if inner := named(block, "location"):
            raise LeftAloneError(at(inner[0], "a location in a location; routes stand beside each other"))
        _after_errors(block)
        for one in block:
            if one.name == "if":
                self._condition(one, block)
            elif one.name != "rewrite" and (why := blocking(one)):
                raise LeftAloneError(at(one, f'"{one.words}" {why}'))
            elif one.name == "satisfy" and one.first == "any":
                raise LeftAloneError(at(one, '"satisfy any": lets in who logs in; no key says it'))

    def _condition(self, one: Placed, block: Sequence[Placed]) -> None:
        passed = " ".join(item.first for item in named(block, "proxy_pass"))
        decides = any(item.first.strip("${}") in passed for item in named(one.inner, "set"))
        if conditions.is_about_caching(one) and not decides:
            self._part.differs(one, f'"{one.words}" is left out: how long files are kept is for the upstream to say')
        elif not self.passes_over(one):
            raise LeftAloneError(at(one, f'"{one.words}" {blocking(one)}'))

    def passes_over(self, one: Placed) -> bool:
        """Whether the gateway does anyway what an `if` does."""
        domain = self._part.domain
        to_https = bool(one.inner) and all(
            conditions.is_to_https(item, domain) or item.name == "break" for item in one.inner
        )
        here = conditions.is_for_name(one, domain)
        if to_https and (here or conditions.is_plain(one)):
            self._part.redirects = True
            return True
        if to_https and conditions.is_plain_at_balancer(one):
            if not nearest(self._outer, "set_real_ip_from"):
                text = 'plain http is sent on to https where "slb_cidrs" names the load balancer that tells of it'
                self._part.differs(one, text)
            return True
        return here is False or conditions.refuses_other_names(one, domain) or conditions.is_about_challenges(one)

    def _route(self, location: Placed, block: Sequence[Placed], passed: Placed) -> None:
        part = self._part
        levels = (block, *self._outer)
        target = proxying.asked(passed, levels, self._upstreams, part.domain)
        instead = mapping.rewritten(location, block)
        paths = mapping.prefixes(location)
        part.told += target.told
        if location_of(location.arguments)[0] == "~":
            part.differs(
                location,
                f"the expression becomes {', '.join(sorted(paths))}: nginx passes on what it has understood of a path",
            )
        for one in paths:
            path, upstream, told = mapping.whole(location, one, target.uri, instead)
            part.told += told
            sent = headers.sent(levels, part.domain, path)
            part.told += sent.told
            row = Row(
                path=path,
                upstream=target.origin + upstream,
                nodes=target.nodes,
                host=target.host,
                authority=self._authority(levels, target.origin),
                domain_headers=tuple(sent.domain),
                headers=tuple(sent.texts.items()),
                source=passed,
            )
            part.add(row)
        self._visitors(levels, location)
        part.bodies += nearest(levels, "client_max_body_size")
        part.waits += [*nearest(levels, "proxy_read_timeout"), *nearest(levels, "proxy_send_timeout")]
        self._cookies(levels)
        part.said |= {item.name: item for item in block if item.name in SAID}
        left = [item for item in block if item.name not in READ | SAID]
        part.inner.append((*left, *sent.others))

    def _authority(self, levels: Sequence[Sequence[Placed]], origin: str) -> str:
        """The file of authorities that an upstream is verified with, "" where it is the host's trust store."""
        files = nearest(levels, "proxy_ssl_trusted_certificate")
        if not origin.startswith("https:"):
            return ""
        if not files or files[0].first.startswith(_TRUST_STORES):
            if not any(one.first == "on" for one in nearest(levels, "proxy_ssl_verify")):
                place = (nearest(levels, "proxy_pass") or [self._part.block.server])[0]
                text = f"the certificate of {origin} is verified from now on"
                if at(place, text) not in self._part.told:
                    self._part.differs(place, text)
            return ""
        return files[0].first

    def _cookies(self, levels: Sequence[Sequence[Placed]]) -> None:
        """What a location adds to cookies behind their path."""
        for one in nearest(levels, "proxy_cookie_path"):
            added = one.arguments[-1].partition(";")[2].strip()
            if added:
                self._part.differs(one, f"cookies no longer get {shown(added)}, but what the upstream gives them")

    def _visitors(self, levels: Sequence[Sequence[Placed]], location: Placed) -> None:
        """Who may use a location, as `allow` has it."""
        rules = [(one.name, one.first, one) for one in nearest(levels, "allow", "deny")]
        allowed: list[str] = []
        for name, network, one in rules:
            if name == "allow" and network == "all":
                break
            if name == "deny" and network == "all":
                self._part.allows[tuple(allowed)] = one
                return
            if name == "deny":
                raise LeftAloneError(
                    at(one, f'"{one.words}": no key keeps out single networks; "allow" names who may come')
                )
            allowed.append(network)
        self._part.allows[()] = location

    def _answered_here(self, one: Placed, kind: str, path: str) -> None:
        """A location that passes nothing on."""
        part = self._part
        returns = named(one.inner, "return", "rewrite")
        closed = [item for item in returns if item.name == "return" and item.first[:1] == "4"]
        denied = any(item.first == "all" for item in named(one.inner, "deny")) and not named(one.inner, "allow")
        for item in named(one.inner, "rewrite"):
            if not conditions.is_to_https(item, part.domain):
                raise LeftAloneError(at(item, f'"{item.words}" {blocking(item)}'))
        if path == "/" and kind == "":
            if returns and conditions.is_to_https(returns[0], part.domain):
                part.redirects = True
            elif returns and not closed:
                part.own.append(replace(one, arguments=("=", "/")))
                part.differs(returns[0], f'"{returns[0].words}" answers / alone from now on, and 404 what is below it')
            elif not closed and not denied:
                self._folder(nearest((one.inner, *self._outer), "root"), one)
        elif closed or denied or returns or any(item.name == "stub_status" for item in one.inner):
            part.own.append(one)
        elif kind == "~" or all(item.name in _IDLE for item in one.inner):
            if not {item.name for item in one.inner} <= {"access_log", "error_log", "log_not_found", "allow"}:
                part.differs(
                    one, f"what {path} matches is passed on like everything else; the host's own files are not served"
                )
        else:
            roots = [] if named(one.inner, "root", "alias") else nearest(self._outer, "root")[:1]
            part.own.append(replace(one, block=(*roots, *one.inner)))
            part.differs(one, f"{path} stays a folder of the host: its files have to be there on a new host too")

    def _folder(self, roots: Sequence[Placed], location: Placed | None = None) -> None:
        """The folder of web pages at /: its verification files go on, and nothing else may be in it."""
        part = self._part
        for files in named(location.inner if location else part.block.directives, "try_files"):
            if any(word.endswith((".html", ".htm", ".php")) or "?" in word for word in files.arguments):
                raise LeftAloneError(at(files, f'"{files.words}": a site of files; routes pass on'))
        if not roots:
            return
        others = verification.of_root(roots[0], self._source, part.domain, part.verify)
        if others:
            names = ", ".join(others[:3]) + (" ..." if len(others) > 3 else "")
            raise LeftAloneError(
                at(roots[0], f"files of the host are served from {roots[0].first}: {names}; routes pass on")
            )


def _after_errors(block: Sequence[Placed]) -> None:
    """Raises LeftAloneError where a named location answers in the place of an error."""
    for one in named(block, "error_page"):
        if one.arguments[-1:] and one.arguments[-1].startswith("@"):
            raise LeftAloneError(at(one, f'"{one.words}": asks somebody else after an error; no key says it'))


def _is_page(location: Placed) -> bool:
    """Whether a location is for a single page, not for a prefix."""
    kind, path = location_of(location.arguments)
    return kind == "=" or (kind == "" and "." in path.rpartition("/")[2])
