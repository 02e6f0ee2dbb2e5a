"""A rendered release as nginx reads it: includes in their place, and what a location inherits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import crossplane

from gateway.nginx.release import File

# Where the files of a release are on a host, and through which link those of a certificate from an ACME server.
_IN_A_RELEASE = re.compile(r"/etc/nginx/wecom-gateway/(?:acme/issued/[^/]+/)?releases/[^/]+/(.+)")


@dataclass
class Block:
    """A block, the one around it, and its directives in order: each a name and its arguments."""

    name: str
    arguments: tuple[str, ...] = ()
    around: Block | None = None
    directives: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    def all(self, name: str) -> list[tuple[str, ...]]:
        """What stands in this block itself, of each directive of that name."""
        return [arguments for known, arguments in self.directives if known == name]

    def inherited(self, name: str) -> list[tuple[str, ...]]:
        """What counts here: directives of the innermost block that has any of the name, as nginx inherits them."""
        here = self.all(name)
        return here or (self.around.inherited(name) if self.around else [])

    def inside(self, name: str) -> Iterator[Block]:
        """Every block of that name below this one, however deep."""
        for block in self.blocks:
            if block.name == name:
                yield block
            yield from block.inside(name)

    def locations(self) -> dict[str, Block]:
        """A server's locations, each by its arguments: "/", "= /healthz"."""
        return {" ".join(block.arguments): block for block in self.blocks if block.name == "location"}


def read(files: Mapping[str, File], start: str = "gateway.conf") -> Block:
    """The file of a release, and all that it includes of the same release."""
    top = Block("")
    _add(top, start, files)
    return top


def _add(block: Block, path: str, files: Mapping[str, File]) -> None:
    parsed = crossplane.parse_string(
        files[path].body.decode(), filename=path, single=True, check_ctx=False, check_args=False, catch_errors=True
    )
    (config,) = parsed["config"]
    assert not config.get("errors"), config["errors"]
    for raw in config["parsed"]:
        _take(block, raw, files)


def _take(block: Block, raw: Mapping[str, Any], files: Mapping[str, File]) -> None:
    name, arguments = raw["directive"], tuple(raw["args"])
    if name == "include":
        own = _IN_A_RELEASE.fullmatch(arguments[0])
        if own:
            for path in sorted(name for name in files if fnmatchcase(name, own[1])):
                _add(block, path, files)
    elif "block" in raw:
        inner = Block(name, arguments, block)
        block.blocks.append(inner)
        for one in raw["block"]:
            _take(inner, one, files)
    else:
        block.directives.append((name, arguments))
