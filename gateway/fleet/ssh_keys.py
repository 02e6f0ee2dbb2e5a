"""What ssh needs on this machine: the files that `ssh_key` names, checked without using them, and known_hosts."""

from __future__ import annotations

import errno
import os
from collections import defaultdict
from pathlib import Path

from gateway.fleet.loading import Fleet
from gateway.problems import Problem, count, shown

# Bytes that are read of a key's file.
_MOST = 1 << 16


def fault(name: str, folder: Path) -> str:
    """Why nobody can log in with the key in the file `name`, and what would be right; empty where nothing is wrong.

    A relative name is looked for in `folder`, as pyinfra looks for it in the current one.
    """
    try:
        path = folder / Path(name).expanduser()
    except RuntimeError:
        return f"{shown(name)}: there is no home folder for ~; set HOME, or name the file in full"
    try:
        with path.open("rb") as file:
            head = file.read(_MOST)
    except (OSError, ValueError) as error:  # the latter of what no file can be called
        why = error.strerror if isinstance(error, OSError) else os.strerror(errno.ENOENT)
        return f"{shown(name)}: {why}; put the private key there, or correct `ssh_key`"
    if head.startswith((b"ssh-", b"ecdsa-", b"sk-")):
        private = f"{shown(name.removesuffix('.pub'))}" if name.endswith(".pub") else "the private key's file"
        return f"{shown(name)}: is the public half of a key; right would be {private}"
    if head.startswith(b"PuTTY-User-Key-File"):
        return f"{shown(name)}: is a key of PuTTY's; convert it: puttygen {shown(name)} -O private-openssh -o NEW"
    if b"PRIVATE KEY-----" not in head:
        return f"{shown(name)}: holds no private key; correct `ssh_key`"
    return ""


def warnings(fleet: Fleet) -> list[Problem]:
    """One for each key's file that cannot be used, at the first of its hosts.

    No errors: an inventory may be checked on a machine that cannot log in to the hosts.
    """
    checked = {host.name for host in fleet.hosts} | {problem.host for problem in fleet.problems}
    named: dict[str, list[str]] = defaultdict(list)
    for host in fleet.inventory:
        if host.name in checked and isinstance(key := host.data.dict().get("ssh_key"), str) and key:
            named[key].append(host.name)
    found = []
    for key, names in named.items():
        if text := fault(key, Path.cwd()):
            more = f" (and {count(len(names) - 1, 'more host')})" if len(names) > 1 else ""
            found.append(Problem(names[0], "", "ssh_key", f"{text}{more}", "warning"))
    return found


def prepare_known_hosts() -> None:
    """Makes ~/.ssh and an empty known_hosts where there are none, as ssh itself does; silent where that cannot be."""
    path = Path(os.path.expanduser("~/.ssh/known_hosts"))  # noqa: PTH111 -- leaves a ~ that nobody can resolve
    if not path.is_absolute():
        return
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
    except OSError:
        pass  # told for the host whose key has to be written there
