"""From a configuration to sites: every server block is told of, and the sites have all that they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ValidationError

from gateway import file_content
from gateway.adopt import merging, own_file, pairs, serving
from gateway.adopt.blocks import Block
from gateway.adopt.directives import Finding, Placed, at
from gateway.adopt.merging import Draft
from gateway.adopt.parts import Part, dumped
from gateway.adopt.platforms import DEFAULT_BODY, Chosen, Platforms
from gateway.adopt.reading import Configuration
from gateway.adopt.report import BlockReport
from gateway.adopt.source import Source
from gateway.certificates.keys import KeyPair
from gateway.checkout.verify_files import VerifyFile
from gateway.fleet.conflicts import site_conflicts
from gateway.inventory import site as sites
from gateway.inventory.entry_errors import explain
from gateway.inventory.model import Platform, PlatformRoute, SiteEntry

_LARGEST = 1 << 20
# The folder of what a deploy has put on a host.
_GATEWAY = "/wecom-gateway/"


@dataclass(frozen=True)
class Adopted:
    """A site: its entry, where it comes from, and the files that it needs. `own` is the text of files/nginx/, "" for
    none; `cas` are files of authorities by name."""

    entry: Mapping[str, Any]
    places: tuple[str, ...]
    verify: Mapping[str, bytes]
    own: str = field(repr=False)
    pair: KeyPair | None = field(repr=False)
    cas: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True)
class Adoption:
    """All sites, those of their platforms that are not shipped, and what became of every server block.

    `proxy_protocol` are the networks of a load balancer of layer 4. `unread` tells what could not be read.
    """

    sites: tuple[Adopted, ...]
    platforms: Mapping[str, Mapping[str, Any]]
    proxy_protocol: tuple[str, ...]
    blocks: tuple[BlockReport, ...]
    unread: tuple[Finding, ...]


def adopt(configuration: Configuration, source: Source, nameless: Sequence[str] = ()) -> Adoption:
    """The sites of a configuration. `nameless` are the domains of server blocks that name none."""
    return _Adopting(configuration, source, nameless).whole()


class _Adopting:
    def __init__(self, configuration: Configuration, source: Source, nameless: Sequence[str]) -> None:
        self._configuration = configuration
        self._source = source
        self._platforms = Platforms()
        self._sites: dict[str, Adopted] = {}
        # files of authorities, by their names in files/ca/
        self._cas: dict[str, str] = {}
        # a site for each port that is listened on
        self._listening: dict[int, sites.Site] = {}
        self._blocks = [Block(server, configuration.http) for server in configuration.servers]
        self._left: dict[int, list[Finding]] = {number: [] for number in range(len(self._blocks))}
        self._told: dict[int, list[Finding]] = {number: [] for number in range(len(self._blocks))}
        self._domains: dict[int, list[str]] = {number: [] for number in range(len(self._blocks))}
        # of sites that a load balancer of layer 4 stands in front of, its networks
        self._balancers: dict[str, tuple[str, ...]] = {}
        named = dict.fromkeys(domain for block in self._blocks for domain in block.domains)
        self._nameless = tuple(nameless)
        # a block without a name answers for the only name that there is
        self._only = next(iter(named)) if len(named) == 1 and not nameless else ""

    def whole(self) -> Adoption:
        for domain, numbers in self._by_domain().items():
            self._domain(domain, numbers)
        balancers = self._layer_4()
        for number, block in enumerate(self._blocks):
            self._names(number, block)
        used = {adopted.entry["platform"] for adopted in self._sites.values()}
        return Adoption(
            tuple(self._sites.values()),
            {name: data for name, data in self._platforms.own.items() if name in used},
            balancers,
            (*map(self._report, range(len(self._blocks))), *map(_of_another_kind, self._configuration.other)),
            self._configuration.unread,
        )

    def _by_domain(self) -> dict[str, list[int]]:
        """The server blocks of every domain, by number. nginx takes the first of a name and port."""
        found: dict[str, list[int]] = {}
        places: dict[tuple[str, int], Block] = {}
        for number, block in enumerate(self._blocks):
            if _GATEWAY in block.server.file:
                self._left[number].append(at(block.server, "is of a gateway that is deployed already"))
                continue
            if not block.ports:
                text = "listens for programs of this host alone; a site is for visitors"
                self._left[number].append(at(block.server, text))
                continue
            for domain in block.domains:
                taken = [places[domain, port] for port in block.ports if (domain, port) in places]
                if taken and len(taken) == len(block.ports):
                    self._left[number].append(at(block.server, _why_second(domain, block, taken[0])))
                    continue
                places |= dict.fromkeys(((domain, port) for port in block.ports), block)
                found.setdefault(domain, []).append(number)
        for number, block in enumerate(self._blocks):
            if block.domains or block.unusable or self._left[number]:
                continue
            for domain in self._nameless or ((self._only,) if self._only else ()):
                free = not any((domain, port) in places for port in block.ports)
                if free and (self._nameless or self._part(domain, number).is_serving):
                    found.setdefault(domain, []).append(number)
        return found

    def _part(self, domain: str, number: int) -> Part:
        return serving.part(domain, self._blocks[number], self._configuration.upstreams, self._source)

    def _domain(self, domain: str, numbers: Sequence[int]) -> None:
        found = [self._part(domain, number) for number in numbers]
        draft = merging.merged(domain, found)
        adopted = None if draft.left else self._site(draft)
        if adopted is None:
            self._leave(numbers, found, draft)
            return
        self._sites[domain] = adopted
        if draft.proxied:
            self._balancers[domain] = tuple(draft.keys.get("slb_cidrs", ()))
        for number, part in zip(numbers, found, strict=True):
            self._domains[number].append(domain)
            self._told[number] += (*part.told, *part.verify.told, *_said(part))
            self._told[number] += (finding for other, finding in draft.told if other is part)

    def _leave(self, numbers: Sequence[int], found: Sequence[Part], draft: Draft) -> None:
        """All server blocks of a domain stay as they are where one has to."""
        place = draft.left[0].place
        for number, part in zip(numbers, found, strict=True):
            own = [finding for finding in draft.left if finding in part.left] or (
                draft.left if len(found) == 1 or not any(other.left for other in found) else []
            )
            text = f"belongs to {draft.domain}, of which another server block cannot be carried over ({place})"
            self._left[number] += own or [at(part.block.server, text)]

    def _site(self, draft: Draft) -> Adopted | None:
        """The site of a draft; None where it is none, with the reason in the draft."""
        first = draft.serving[0]
        cas = self._authorities(draft)
        for port, row in draft.rows:
            data = dumped(row, port, cas.get(row.authority), guarded=False)
            draft.left += (at(row.source, text) for text in _wrong(PlatformRoute, data))
        pair = self._pair(draft) if draft.edge == "tls" else None
        if draft.left:
            return None
        chosen = self._platforms.choose(draft.domain, draft.rows, cas, draft.wait)
        entry = self._entry(draft, chosen)
        draft.left += (
            at(first.block.server, text) for text in (*_wrong(Platform, chosen.data), *_wrong(SiteEntry, entry))
        )
        if draft.left:
            return None
        site = sites.resolve(SiteEntry.model_validate(entry), chosen.name, Platform.model_validate(chosen.data))
        beside = dict.fromkeys(self._listening.values())
        conflicts = [one for one in site_conflicts("", [*beside, site], None) if one.domain == site.domain]
        draft.left += (at(first.block.server, one.text) for one in conflicts)
        verify = {name: body for part in draft.parts for name, body in part.verify.files.items()}
        own = own_file.made(site, [VerifyFile(name, body) for name, body in verify.items()], draft.serving)
        draft.left += own.left
        if draft.left:
            return None
        draft.told += ((first, finding) for finding in own.told)
        self._listening = dict.fromkeys(site.listeners(), site) | self._listening
        return Adopted(
            entry,
            tuple(at(part.block.server, "").place for part in draft.parts),
            verify,
            own.text,
            pair,
            self._ca_files(cas),
        )

    def _entry(self, draft: Draft, chosen: Chosen) -> dict[str, Any]:
        entry: dict[str, Any] = {"domain": draft.domain, "edge": draft.edge, "platform": chosen.name}
        entry |= draft.keys
        if draft.proxied:
            entry.pop("slb_cidrs", None)
        if chosen.bk:
            entry["bk"] = dict(chosen.bk)
        if entry.get("max_body") == chosen.data.get("max_body", DEFAULT_BODY):
            del entry["max_body"]
        return entry

    def _authorities(self, draft: Draft) -> dict[str, str]:
        """The paths below files/ca/ of the authorities' files that routes name."""
        named = dict.fromkeys(row.authority for _, row in draft.rows if row.authority)
        for path in named:
            if self._source.local(path) is None:
                draft.differs(draft.serving[0], f"{path} is not in the source; put it into files/ca/")
        return {path: f"files/ca/{self._authority(path)}" for path in named}

    def _authority(self, path: str) -> str:
        """The name in files/ca/ of a file of authorities; files of one name in two folders have two."""
        name = _file_name(path)
        while self._cas.setdefault(name, path) != path:
            name = f"other-{name}"
        return name

    def _ca_files(self, cas: Mapping[str, str]) -> dict[str, bytes]:
        found = {PurePosixPath(name).name: self._source.local(path) for path, name in cas.items()}
        bodies = {name: _body(local) for name, local in found.items() if local}
        return {name: body for name, body in bodies.items() if body}

    def _pair(self, draft: Draft) -> KeyPair | None:
        part = next((part for part in draft.serving if part.certificates), draft.serving[0])
        taken = pairs.take(draft.domain, part.certificates, self._source)
        others = [name for name in part.block.domains if name in self._sites and self._sites[name].pair]
        if taken.others and others:
            draft.left.append(at(part.block.server, f"{draft.domain} is no longer answered: {taken.why}"))
        if taken.pair is None:
            draft.differs(part, f"without its certificate: {taken.why}")
        for text in taken.told:
            draft.differs(part, text)
        return taken.pair

    def _layer_4(self) -> tuple[str, ...]:
        """The networks of a load balancer of layer 4. All sites of a host at edge tls expect the PROXY protocol, or
        none does."""
        encrypted = [name for name, adopted in self._sites.items() if adopted.entry["edge"] == "tls"]
        with_it = [name for name in encrypted if name in self._balancers]
        networks = self._networks()
        if not with_it or (len(with_it) == len(encrypted) and networks):
            return networks
        others = "other sites do not" if networks else "set_real_ip_from names no network of a load balancer"
        for name in with_it:
            del self._sites[name]
            for number, domains in self._domains.items():
                if name in domains:
                    domains.remove(name)
                    text = f"{name} takes the PROXY protocol, and {others}"
                    self._left[number].append(at(self._blocks[number].server, text))
        return ()

    def _networks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(network for networks in self._balancers.values() for network in networks))

    def _names(self, number: int, block: Block) -> None:
        """What becomes of names that no site has."""
        if self._domains[number]:
            lost = [*block.unusable, *(name for name in block.domains if name not in self._domains[number])]
            if lost:
                self._told[number].append(at(block.server, f"no longer answered: {', '.join(lost)}"))
        elif not self._left[number]:
            self._left[number].append(at(block.server, self._why_nameless(block)))

    def _why_nameless(self, block: Block) -> str:
        if block.unusable:
            return f"no site can have the name {block.unusable[0]}: WeCom takes a full domain name"
        return "names no domain, so it answers for every name; --domain NAME says which is meant"

    def _report(self, number: int) -> BlockReport:
        block, domains = self._blocks[number], tuple(self._domains[number])
        findings = self._left[number] + (self._told[number] if domains else [])
        once = {finding.text: finding for finding in sorted(set(findings), reverse=True)}
        return BlockReport(
            block.server.file,
            block.server.line,
            block.names,
            tuple(block.ports),
            domains,
            tuple(sorted(once.values())),
        )


def _why_second(domain: str, block: Block, first: Block) -> str:
    """Why a server block of a domain counts for nothing where another one has its ports."""
    place = at(first.server, "").place
    if block.addresses & first.addresses:
        return f"nginx passes it over: {domain} stands in {place} with the same port"
    return f"answers for {domain} on an address of its own, and {place} on another; a site answers alike on all"


def _of_another_kind(server: Placed) -> BlockReport:
    return BlockReport(server.file, server.line, (), (), (), (at(server, "is no web server (stream or mail)"),))


def _said(part: Part) -> Iterable[Finding]:
    """One finding for all that the gateway says itself."""
    if part.said:
        names = ", ".join(sorted(part.said))
        yield at(next(iter(part.said.values())), f"the gateway says it itself: {names}")


def _wrong(model: type[BaseModel], data: Mapping[str, Any]) -> list[str]:
    """What is wrong with data for a model, in words."""
    try:
        model.model_validate(data)
    except ValidationError as error:
        return [f"{place}: {text}" if place else text for place, text in explain(error, model)]
    return []


def _body(path: Path) -> bytes:
    """A file's bytes, none where it cannot be read: `check` tells what is missing."""
    try:
        return file_content.content(path, _LARGEST)
    except (OSError, ValueError):
        return b""


def _file_name(path: str) -> str:
    name = "".join(
        one if one.isascii() and (one.isalnum() or one in "._-") else "-" for one in PurePosixPath(path).name
    )
    return name if name.endswith((".pem", ".crt")) else f"{name}.pem"
