"""Where the nginx of a host has its program and files, and how it is run: one place for all that names them."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from gateway.onhost.constants import (
    ENTRIES,
    MAIN_ENTRY,
    MAIN_ERROR_LOG,
    MAIN_FILE,
    NGINX,
    NGINX_HOME,
    NGINX_UNIT,
    NGINX_USER,
    TRUST_BUNDLE,
)
from gateway.onhost.scripts import Value


@dataclass(frozen=True)
class Layout:
    """The places of a host's nginx; without values those of Debian's package.

    `options` are -c and -p as the running nginx was started with them. `unit` is empty where systemd starts it by none.
    `entries` are links by which it can include a release, the first one preferred. `error_log` is what it says of
    itself, `user` who its workers are. `bundle` is the system's trust store as one file, `trust_folder` as a folder
    of one file for each authority under the digest of its name, empty where the system has none. `rotated` tells
    whether logrotate knows of the logs of a release by somebody else's file. `main_entry` is the link by which the main
    file includes a release's part outside of http. `packages` is the system's package manager: apt, dnf or yum.
    """

    program: str = NGINX
    main_file: str = MAIN_FILE
    options: tuple[str, ...] = ()
    unit: str = NGINX_UNIT
    entries: tuple[str, ...] = ENTRIES
    main_entry: str = MAIN_ENTRY
    error_log: str = MAIN_ERROR_LOG
    user: str = NGINX_USER
    bundle: str = TRUST_BUNDLE
    trust_folder: str = "/etc/ssl/certs"
    rotated: bool = True
    packages: str = "apt"

    @property
    def folder(self) -> str:
        """The folder of the main file, which names of further files are relative to."""
        return posixpath.dirname(self.main_file)

    @property
    def is_rpm(self) -> bool:
        """Whether the system's packages are RPM's."""
        return self.packages in ("dnf", "yum")

    def for_scripts(self) -> tuple[tuple[str, Value], ...]:
        """These places as the constants of scripts that name them (gateway.onhost.scripts.text)."""
        return (
            ("nginx_program", self.program),
            ("nginx_options", self.options),
            ("nginx_home", self.folder),
            ("nginx_unit", self.unit),
            ("nginx_user", self.user),
            ("entries", self.entries),
            ("main_file", self.main_file),
            ("main_entry", self.main_entry),
            ("error_log", self.error_log),
            ("trust_bundle", self.bundle),
        )


def layout(places: dict[str, str], user: str | None = None, error_log: str | None = None) -> Layout:
    """From what state.sh prints of them, by their names there; `user` and `error_log` as nginx's configuration says."""
    usual = Layout()
    main_file = places.get("main_file", usual.main_file)
    return Layout(
        program=places.get("program", usual.program),
        main_file=main_file,
        options=tuple(places.get("options", "").split()),
        unit=places.get("unit", usual.unit),
        entries=tuple(places.get("entries", " ".join(usual.entries)).split()),
        error_log=_said(error_log) or places.get("error_log", usual.error_log),
        main_entry=places.get("main_entry", MAIN_ENTRY.replace(NGINX_HOME, posixpath.dirname(main_file), 1)),
        user=user or places.get("user", usual.user),
        bundle=places.get("bundle") or usual.bundle,
        trust_folder=places.get("trust_folder", usual.trust_folder),
        rotated=places.get("rotated") != "no",
        packages=places.get("packages", usual.packages),
    )


def _said(error_log: str | None) -> str:
    """The file that an error_log directive names, empty where it names none, or one that is not named from the root."""
    return error_log if error_log and error_log.startswith("/") else ""
