"""The health of a host as scripts/health.sh prints it (nginx, timers, disks), and what has to be done. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.onhost.constants import DPKG_ENTRY, HOME, MTAIL_UNIT, RENEWAL_UNIT

# A deploy, nginx's logs and the renewals of a day need at least that much.
_LEAST_MEGABYTES, _LEAST_INODES = 20, 200


@dataclass(frozen=True)
class Unit:
    """The state of a unit in systemd's own words; "-" where it has none."""

    name: str
    loaded: str = "loaded"
    active: str = "active"
    enabled: str = "enabled"
    result: str = "success"

    @property
    def is_masked(self) -> bool:
        return "masked" in (self.loaded, self.enabled.removesuffix("-runtime"))

    @property
    def starts_by_itself(self) -> bool:
        """False where the unit would not be started after a reboot."""
        return not self.is_masked and self.enabled not in ("disabled", "linked", "-")


@dataclass(frozen=True)
class Disk:
    """The file system that a folder is on. `megabytes` and `inodes` are what is free, None where it is not counted."""

    folder: str
    mount: str
    read_only: bool
    megabytes: int
    inodes: int | None


@dataclass(frozen=True)
class Health:
    """What status has to know of a host beyond what a deploy has to. Empty where nothing is known."""

    # what `nginx -t` found: "yes", "slow" where it took too long, "no" and nginx's reason; empty without an nginx
    loads: str = ""
    # the unit that runs nginx, empty where none does
    nginx_unit: str = "nginx.service"
    # nginx's, the units of the release in force, and certbot.timer where that release orders certificates
    units: tuple[Unit, ...] = ()
    # whether nginx runs though its unit does not: somebody has started it without it
    outside: bool = False
    # why nginx could not be started, in its own words
    reason: str = ""
    # whether the running nginx is another program than the one that is installed
    replaced: bool = False
    disks: tuple[Disk, ...] = ()
    # nginx.conf as dpkg sees it: "shipped", "raised" by worker_connections alone, "edited", "" where it is not dpkg's
    conffile: str = ""
    # whether dpkg has lost the hook that the release brought
    hook_gone: bool = False
    # gateway.nginx.built_for.text of the release in force, empty where it is older than that
    build: str = ""
    # addresses with a port that upstreams name themselves and that take no connection from the host, by upstream
    silent_nodes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def nginx(self) -> Unit | None:
        """nginx's unit. None where systemd knows of none."""
        return next((one for one in self.units if one.name == self.nginx_unit and one.loaded != "not-found"), None)

    @property
    def nginx_is_down(self) -> bool:
        return self.nginx is not None and self.nginx.active in ("inactive", "failed") and not self.outside


def read(output: Iterable[str]) -> Health:
    """The health of a host from what health.sh printed: one "key value" a line. Keys that are missing say nothing."""
    values = dict(line.partition(" ")[::2] for line in output)
    return Health(
        loads=values.get("loads", ""),
        nginx_unit=values.get("nginx", "nginx.service"),
        units=tuple(Unit(name, *words[:4]) for name, words in _by_name(values, "unit:")),
        outside=values.get("outside") == "yes",
        reason=values.get("reason", ""),
        replaced=values.get("replaced") == "yes",
        disks=tuple(_disk(name, words) for name, words in _by_name(values, "disk:")),
        conffile=values.get("conffile", ""),
        hook_gone=values.get("hook") == "gone",
        build=values.get("build", ""),
        silent_nodes=_silent_nodes(name for name, _ in _by_name(values, "node:")),
    )


# The name of an upstream's block (nginx.upstreams.Block).
_BLOCK = re.compile(r"wecom_gateway_(.+_\d{1,5})(?:_[0-9a-f]{8})?")


def _silent_nodes(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one in sorted(names):
        block, _, node = one.partition("/")
        name = _BLOCK.fullmatch(block)
        upstream = ":".join(name[1].rsplit("_", 1)) if name else block
        found[upstream] = (*found.get(upstream, ()), node)
    return found


def _by_name(values: Mapping[str, str], prefix: str) -> list[tuple[str, list[str]]]:
    return [(key.removeprefix(prefix), text.split()) for key, text in values.items() if key.startswith(prefix)]


def _disk(folder: str, words: list[str]) -> Disk:
    mount, mode, kilobytes, inodes = words
    return Disk(folder, mount, mode == "ro", int(kilobytes) // 1024, None if inodes == "-" else int(inodes))


def findings(health: Health, renewals_are_told: bool = False) -> list[str]:
    """A sentence for each thing that somebody has to act on, with what to do, the most urgent first.

    `renewals_are_told`: the certificates that could not be renewed are named elsewhere, so that the unit's own failure
    is left out.
    """
    return [
        *_nginx(health),
        *_configuration(health),
        *_disks(health.disks),
        *_units((one for one in health.units if one.name != health.nginx_unit), renewals_are_told),
    ]


def _nginx(health: Health) -> Iterator[str]:
    unit = health.nginx
    if unit is None:
        return
    name = unit.name.removesuffix(".service")
    if health.nginx_is_down:
        if unit.is_masked:
            yield f"nginx is not running and is masked; systemctl unmask {name} there, then deploy"
            return
        if unit.active != "failed":
            yield "nginx is not running, it was stopped; deploy"
        elif health.loads.startswith("no"):
            yield "nginx is not running; mend its configuration, then deploy"
        else:
            reason = health.reason or f"journalctl -u {name} there says why"
            yield f"nginx is not running, it failed: {reason}; mend that, then deploy"
    if health.outside:
        yield (
            f"nginx runs, but {unit.name} has not started it, and cannot reload or stop it; end it there by its own "
            f"-s quit, then systemctl start {name}"
        )
    if unit.is_masked:
        yield f"nginx is masked and would not come up after a reboot; systemctl unmask {name} there"
    elif not unit.starts_by_itself:
        yield f"nginx is not enabled and would not come up after a reboot; systemctl enable {name} there"
    if health.replaced:
        yield f"nginx was replaced on the disk and the old one still runs; systemctl restart {name} there"


def _configuration(health: Health) -> Iterator[str]:
    if health.loads.startswith("no"):
        reason = health.loads.removeprefix("no ")
        yield f"nginx's configuration does not load; would not come up after a reboot: {reason}"
    elif health.loads == "slow":
        yield (
            "nginx needs more than 30 seconds to load its configuration; might not come up after a reboot: "
            "does a name in it not resolve?"
        )


def _disks(disks: Iterable[Disk]) -> Iterator[str]:
    by_mount: dict[str, list[Disk]] = {}
    for disk in disks:
        by_mount.setdefault(disk.mount, []).append(disk)
    for mount, on_it in by_mount.items():
        disk = on_it[0]
        folders = ", ".join(one.folder for one in on_it)
        where = folders if mount == folders else f"{folders} (on {mount})"
        if disk.read_only:
            yield f"{where}: read-only; dmesg there may say why"
        elif disk.megabytes < _LEAST_MEGABYTES:
            yield f"{where}: the disk is full, {disk.megabytes} MB are left; free some, see df -h there"
        elif disk.inodes is not None and disk.inodes < _LEAST_INODES:
            yield f"{where}: the disk has no room for more files, {disk.inodes} are left; remove some, see df -i there"


def _units(units: Iterable[Unit], renewals_are_told: bool) -> Iterator[str]:
    for unit in units:
        # certbot.timer is Debian's; the others come with the release.
        own = unit.name.startswith("wecom-gateway")
        path = f"{HOME}/current/units/{unit.name}" if own else unit.name
        # A timer or a socket starts the service of its name; one service runs all the time.
        starts = unit.name.endswith((".timer", ".socket")) or unit.name == MTAIL_UNIT
        now = " --now" if starts else ""
        if unit.is_masked:
            yield f"{unit.name} is masked; systemctl unmask {unit.name} && systemctl enable{now} {path} there"
        elif (starts or unit.name == RENEWAL_UNIT) and not unit.starts_by_itself:
            yield f"{unit.name} is not enabled; systemctl enable{now} {path} there"
        elif starts and unit.active != "active":
            yield f"{unit.name} is not running; systemctl restart {unit.name} there"
        elif unit.result not in ("success", "-") and not (unit.name == RENEWAL_UNIT and renewals_are_told):
            yield f"{unit.name} failed when it ran last; journalctl -u {unit.name} there says why"


def warnings(health: Health) -> list[str]:
    """A sentence for each thing that is worth knowing and that nobody has to act on at the gateway."""
    return [*_of_nodes(health), *_of_nginx_conf(health)]


def _of_nodes(health: Health) -> Iterator[str]:
    for upstream, nodes in health.silent_nodes.items():
        take = "takes" if len(nodes) == 1 else "take"
        of_which = "" if nodes == (upstream,) else f"{upstream}: "
        yield f"{of_which}{', '.join(nodes)} {take} no connection from the host; tell whoever runs the platform"


def _of_nginx_conf(health: Health) -> list[str]:
    if health.conffile == "edited":
        return ["nginx.conf was edited; an upgrade of the package will ask whether to keep it"]
    if health.conffile == "raised" and health.hook_gone:
        return [
            "dpkg's hook is gone and an upgrade of the package will ask whether to keep nginx.conf; "
            f"ln -s {HOME}/current/dpkg.cfg {DPKG_ENTRY} there"
        ]
    return []
