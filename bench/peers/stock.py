"""The tree in pyinfra's own file operations, one for each folder and file.

A pyinfra deploy: `pyinfra INVENTORY stock.py` with the host data `tree` (a local folder), `home`
(where it goes) and `entry` (the file in it that nginx includes).
"""

from pathlib import Path

from pyinfra import host
from pyinfra.operations import apt, files, systemd

tree = Path(host.data.tree)
home = host.data.home

apt.packages(name="Install nginx and the trust store", packages=["nginx", "ca-certificates"])

folders = [home, *(f"{home}/{path.relative_to(tree)}" for path in sorted(tree.rglob("*")) if path.is_dir())]
steps = [files.directory(name=f"Folder {folder}", path=folder, mode="755") for folder in folders]
steps += [
    files.put(
        name=f"File {path.relative_to(tree)}",
        src=str(path),
        dest=f"{home}/{path.relative_to(tree)}",
        mode="644",
    )
    for path in sorted(tree.rglob("*"))
    if path.is_file()
]
steps += [
    files.link(name="Include it", path="/etc/nginx/conf.d/wecom-gateway.conf", target=f"{home}/{host.data.entry}"),
    files.link(name="No welcome page", path="/etc/nginx/sites-enabled/default", present=False),
]
systemd.service(name="nginx runs", service="nginx", running=True, enabled=True)
systemd.service(
    name="Reload nginx",
    service="nginx",
    reloaded=True,
    _if=lambda: any(step.did_change() for step in steps),
)
