"""Writes what was adopted into a folder of its own: all of it, or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway import starter
from gateway.adopt import python_text
from gateway.adopt.adopting import Adopted, Adoption
from gateway.certificates import stored

INVENTORY = "prod.py"


def refuse_what_is_there(folder: Path) -> None:
    """Raises starter.FolderError where something is in the folder already, or where it cannot be made."""
    try:
        if not folder.is_dir() and (folder.exists() or folder.is_symlink()):
            raise starter.FolderError(f"{folder} is a file; name a folder that is not there yet")
        if folder.is_dir() and (there := sorted(folder.iterdir())):
            raise starter.FolderError(
                f"{folder} has files already ({there[0].name}), which stay as they are; name a new folder"
            )
    except OSError as error:
        raise starter.FolderError(f"{folder} cannot be read: {error.strerror}; name another folder") from None


def write(folder: Path, adoption: Adoption, host: str, replaces: Sequence[str] = ()) -> list[Path]:
    """Writes everything that an adoption has into a new folder, its sites on the host with that address.

    `replaces` are files of that host's nginx that they take the place of.

    Private keys have mode 600. Raises starter.FolderError, and then has written nothing.
    """
    refuse_what_is_there(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as staging:
            made = Path(staging) / folder.name
            made.mkdir()
            files = _whole(made, adoption, host, replaces)
            if folder.is_dir():
                folder.rmdir()
            shutil.move(made, folder)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise starter.FolderError(f"{folder} cannot be written: {reason}; name another folder") from None
    return sorted(folder / file.relative_to(made) for file in files)


def _whole(folder: Path, adoption: Adoption, host: str, replaces: Sequence[str]) -> list[Path]:
    data: dict[str, Any] = {"replaces": list(replaces)} if replaces else {}
    if adoption.proxy_protocol:
        data["proxy_protocol"] = list(adoption.proxy_protocol)
    rows = [(one.entry, one.places) for one in adoption.sites]
    files = starter.write(
        folder,
        inventory={INVENTORY: python_text.inventory(host, data, rows)},
        platforms=python_text.platforms(adoption.platforms) if adoption.platforms else "",
    )
    for one in adoption.sites:
        files += _of_site(folder / "files", one)
    return files


def _of_site(files: Path, one: Adopted) -> list[Path]:
    """The files of a site: verification files, directives of its own, authorities, certificate and key."""
    domain = one.entry["domain"]
    bodies = {files / "verify" / domain / name: body for name, body in one.verify.items()}
    bodies |= {files / "ca" / name: body for name, body in one.cas.items()}
    if one.own:
        bodies[files / "nginx" / f"{domain}.conf"] = one.own.encode()
    for path, body in bodies.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    certificates = stored.write(files / "certs" / domain, one.pair) if one.pair else []
    return [*bodies, *certificates]
