"""Where a release came from: the commit of the checkout that it was deployed from, and who deployed it.

Hosts keep it beside the release, not in it: a release's id must not change with the commit.
"""

from __future__ import annotations

import getpass
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from gateway.checkout import git

_VERSION = re.compile(r"[A-Za-z0-9.+!_-]{1,50}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)")
_NO_NAME = re.compile(r"[^A-Za-z0-9._@/+=-]")
_NAME = re.compile(r"[A-Za-z0-9._@/+=?-]{1,100}")


@dataclass(frozen=True)
class Origin:
    """`commit`, `date` (the commit's) and `branch` are empty where git does not know them. `changed` says whether the
    checkout had changes that were not committed, `by` is user@machine, `at` when the release last came into force."""

    commit: str = ""
    date: str = ""
    branch: str = ""
    changed: bool = False
    by: str = ""
    at: str = ""

    def line(self) -> str:
        """One line without the time, which the host adds. No character in it means anything to a shell."""
        fields = (self.commit, self.date, self.branch, "changed" if self.changed else "clean", self.by)
        return " ".join(field or "-" for field in fields)


def read(line: str) -> Origin | None:
    """The origin from the line that a host keeps: Origin.line and the time. None where it is something else."""
    parts = line.split(" ")
    if len(parts) != 6:
        return None
    commit, date, branch, state, by, at = ("" if part == "-" else part for part in parts)
    shapes = ((_COMMIT, commit), (_TIME, date), (_NAME, branch), (_NAME, by), (_TIME, at))
    if state not in ("changed", "clean") or any(text and not shape.fullmatch(text) for shape, text in shapes):
        return None
    return Origin(commit, date, branch, state == "changed", by, at)


def read_version(text: str) -> str:
    """The product's version that a host keeps of a release, empty where it keeps none: none was kept before 0.2.0.

    It lies beside what `read` reads: of a line with a seventh field an earlier product would believe nothing.
    """
    return text if _VERSION.fullmatch(text) else ""


@dataclass(frozen=True)
class PastRelease:
    """A release that was in force: its id, where it came from and the version of the product that published it, None
    and empty where that is not recorded."""

    id: str
    origin: Origin | None = None
    version: str = ""


def read_past(values: Mapping[str, str]) -> tuple[PastRelease, ...]:
    """The releases of a host's history, oldest first, from what state.sh printed by key."""
    return tuple(
        PastRelease(one, read(values.get(f"origin:{one}", "")), read_version(values.get(f"version:{one}", "")))
        for one in values.get("history", "").split()
    )


@cache
def of_checkout() -> Origin:
    """The origin of what is deployed from the checkout in the current folder. git is asked once in a run."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        user = "unknown"
    who = Origin(by=_name(f"{user}@{platform.node()}"))
    status = git.lines("status", "--porcelain=v2", "--branch")
    said = dict(line.removeprefix("# branch.").split(" ", 1) for line in status if line.startswith("# branch."))
    date = "".join(git.lines("-c", "log.showSignature=false", "log", "-1", "--format=%cI"))
    commit = said.get("oid", "")
    if not _COMMIT.fullmatch(commit) or not _TIME.fullmatch(date):
        return who
    branch = said.get("head", "")
    return replace(
        who,
        commit=commit,
        date=date,
        branch="" if branch == "(detached)" else _name(branch),
        changed=any(not line.startswith("#") for line in status),
    )


def _name(text: str) -> str:
    return _NO_NAME.sub("?", text)[:100]


def lacks(commit: str, own: Origin) -> bool:
    """Whether this folder is a checkout (`own`) that does not contain the commit, "" where it is not known."""
    return bool(commit and own.commit) and not git.contains(commit)


def sentence(held: Origin | None, own: Origin) -> str:
    """Says where the release in force came from (`held`), how this checkout (`own`) stands to that, and what to do."""
    checkout = f"this checkout is at {_place(own)}" if own.commit else "this folder is no git checkout"
    if held is None:
        advice = "is it up to date (git pull)?" if own.commit else "ask who deployed last"
        return f"it is not recorded from which commit the release in force was deployed; {checkout}: {advice}"
    who = f"by {held.by or 'somebody'}" + (f" on {held.at[:10]}" if held.at else "")
    if not held.commit:
        return f"the release in force was deployed {who}, not from a git checkout; {checkout}: compare it with theirs"
    known = f"the release in force was deployed from {_place(held)} {who}"
    if not own.commit:
        return f"{known}; {checkout}: take one that contains that commit"
    if not git.contains(held.commit):
        return f"{known}; {checkout}, which does not contain it: git pull first"
    return f"{known}; {checkout}, {_difference(held, own)}"


def _difference(held: Origin, own: Origin) -> str:
    """What may have made the difference where this checkout contains the commit of the release in force."""
    if held.commit != own.commit:
        text = f"which contains it, so that it was removed since: git log -p {held.commit[:12]}.. shows where"
        return f"{text}, git diff HEAD what is not committed yet" if own.changed else text
    if own.changed:
        return "the same commit: git diff HEAD shows what is not committed"
    if held.changed:
        return f"the same commit: what was deployed was never committed, ask {held.by or 'who deployed it'} for it"
    return "the same commit: was another inventory meant?"


def _place(origin: Origin) -> str:
    branch = f" ({origin.branch})" if origin.branch else ""
    return f"commit {origin.commit[:12]} of {origin.date[:10]}{branch}" + (
        " with changes not committed" if origin.changed else ""
    )
