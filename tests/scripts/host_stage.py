"""A host made of folders: whole scripts run on it as they would there, with stand-ins for systemd and nginx."""

from __future__ import annotations

import base64
import gzip
import os
import re
import subprocess
from pathlib import Path

from gateway.nginx.release import Release
from gateway.onhost import scripts

from .host_scripts import body, upload

# The folders of a host that scripts name by their whole path.
_FOLDERS = (
    *("etc/nginx", "etc/systemd/system", "etc/dpkg/dpkg.cfg.d", "run", "var/log/nginx", "var/lib/wecom-gateway"),
    *("var/lib/dpkg/info", "usr/sbin", "proc/self", "etc/init.d", "etc/logrotate.d"),
)
_PLACES = re.compile(
    r"/(?:etc/nginx|etc/systemd|etc/dpkg|etc/init\.d|etc/logrotate\.d|run|var/log|var/lib|usr/sbin/nginx|proc/self/mounts)(?![\w-])"
)
# In place of reload_nginx, for a gateway that goes: the stand-in of systemctl loads what `current` leads to; without it
# nothing is served.
GIVES_UP = 'reload_nginx() { [ -e "$home/current" ] && [ -n "$(including_links)" ] || rm -f "$STAGE/serves"; }'
ENTRY = "etc/nginx/conf.d/wecom-gateway.conf"
NGINX_CONF = """user www-data;
include /etc/nginx/modules-enabled/*.conf;
events { worker_connections 768; }
http { include /etc/nginx/conf.d/*.conf; include /etc/nginx/sites-enabled/*; }
"""

# Each does what the files in $STAGE say. nginx "serves" the release that `current` leads to when it is told to load.
_PROGRAMS = {
    "systemctl": r"""
echo "systemctl $*" >>"$STAGE/calls"
load() {
    [ -e "$STAGE/deaf" ] || basename "$(readlink "$ROOT/etc/nginx/wecom-gateway/current")" >"$STAGE/serves" 2>/dev/null
}
case $1 in
    is-active) [ "${*: -1}" != nginx.service ] || [ -e "$STAGE/active" ] ;;
    show)
        case $3 in
            MainPID) if [ -e "$STAGE/active" ]; then echo MainPID=1; else echo MainPID=0; fi ;;
            ExecStart) ;;
            *) cat "$STAGE/units" 2>/dev/null || true ;;
        esac ;;
    start) touch "$STAGE/active"; load ;;
    stop) [ "${*: -1}" != nginx.service ] || rm -f "$STAGE/active" "$STAGE/serves" ;;
    kill) load ;;
esac
""",
    # without the owner and group, which only root may give
    "install": r"""
arguments=()
while [ $# -gt 0 ]; do case $1 in -o | -g) shift 2 ;; *) arguments+=("$1"); shift ;; esac; done
exec /usr/bin/install "${arguments[@]}"
""",
    "sleep": "",
    "dpkg-query": r"""cat "$STAGE/packages" 2>/dev/null""",
    "apt-cache": r"""cat "$STAGE/candidate" 2>/dev/null""",
}
_NGINX = r"""
echo "nginx $*" >>"$STAGE/calls"
case $1 in
    -v | -V)
        echo "nginx version: nginx/1.22.1" >&2
        cat "$STAGE/library" >&2
        paths="--conf-path=$ROOT/etc/nginx/nginx.conf --error-log-path=$ROOT/var/log/nginx/error.log"
        echo "configure arguments: --with-cc-opt='-g -O2' --prefix=/usr/share/nginx $paths $(cat "$STAGE/modules")" >&2
        exit ;;
esac
[ ! -e "$STAGE/broken" ] || { cat "$STAGE/broken" >&2; exit 1; }
while [ $# -gt 0 ]; do [ "$1" != -c ] || conf=$2; shift; done
[ -n "${conf-}" ] || exit 0
[ ! -e "$STAGE/says" ] || cat "$STAGE/says" >&2
[ ! -e "$STAGE/refuses" ] || exit 1
if [ -e "$STAGE/refused words" ]; then
    for path in "${conf%/*}"/{conf.d,sites-enabled}/*; do
        real=$(readlink -f "$path")
        word=$(<"$STAGE/refused words")
        [[ $real == *gateway.conf ]] || continue
        for name in $(grep -rhoE 'files/nginx/[^ ;]+' "${real%/*}/sites"); do
            ! grep -qF "$word" "$STAGE"/../etc/nginx/wecom-gateway/releases/*/"$name" || refused=yes
        done
    done
    [ -z "${refused-}" ] || { echo "nginx: [emerg] unknown \"$word\" variable" >&2; exit 1; }
fi
echo "# configuration file $conf:"
cat "$conf"
for path in "${conf%/*}"/{conf.d,sites-enabled}/*; do
    [ -e "$path" ] && [ ! -e "$STAGE/blind" ] || continue
    echo "# configuration file $path:"
    cat "$path"
    real=$(readlink -f "$path")
    [ "${real##*/}" != gateway.conf ] || echo "# configuration file ${real%/*}/release.conf:"
done
"""


class Stage:
    """The host below folder `root`. `told` are the files that say what the stand-ins do."""

    def __init__(self, root: Path) -> None:
        self.root, self.told = root, root / "stage"
        for folder in (*_FOLDERS, "stage", "bin", "etc/nginx/conf.d", "etc/nginx/sites-enabled"):
            (root / folder).mkdir(parents=True)
        (root / "etc/nginx/modules-enabled").mkdir()
        (root / "run/systemd/system").mkdir(parents=True)
        (root / "etc/nginx/nginx.conf").write_text(self._here(NGINX_CONF))
        for name, text in _PROGRAMS.items():
            self.put_program(name, text)
        (root / "proc/self/mounts").write_text("none / ext4 rw,relatime 0 0\n")

    def install_nginx(self) -> None:
        """As Debian's package does."""
        self._program(self.root / "usr/sbin/nginx", _NGINX)
        library = "built with OpenSSL 3.0.8 1 Jan (running with OpenSSL 3.0.17 2 Jan)\n"
        (self.told / "library").write_text(library)
        (self.told / "modules").write_text("--with-http_ssl_module --with-http_v2_module --with-http_realip_module")
        (self.root / "var/lib/dpkg/info/nginx.list").write_text(f"/.\n{self.root}/usr/sbin/nginx\n")
        packages = ("nginx", "ca-certificates", "logrotate")
        about = "install ok installed 1.22.1-9 Somebody <a@b.example>"
        (self.told / "packages").write_text("".join(f"{name} {about}\n" for name in packages))

    def put_program(self, name: str, text: str) -> None:
        """A stand-in, in bash, for a program that scripts start."""
        self._program(self.root / "bin" / name, text)

    def says(self, script: str, stdin: str = "", instead: str = "") -> list[str]:
        """The lines of a script that changes nothing, as the host would print them."""
        done = self.run(script, stdin=stdin, instead=instead)
        assert done.returncode == 0, done.stderr
        return [self._theirs(line) for line in done.stdout.splitlines()]

    def _theirs(self, line: str) -> str:
        """As a host of its own would say it, in what is packed too."""
        key, _, text = line.partition(" ")
        if key.partition(":")[0] != "dump":
            return line.replace(str(self.root), "")
        plain = gzip.decompress(base64.b64decode(text)).replace(str(self.root).encode(), b"")
        return f"{key.replace(str(self.root), '')} {base64.b64encode(gzip.compress(plain)).decode()}"

    @staticmethod
    def _program(path: Path, text: str) -> None:
        path.write_text(f"#!/bin/bash\n{text}")
        path.chmod(0o755)

    @property
    def home(self) -> Path:
        return self.root / "etc/nginx/wecom-gateway"

    @property
    def entry(self) -> Path:
        """The usual link by which a release is included."""
        return self.root / ENTRY

    def run(self, script: str, *arguments: str, stdin: str = "", instead: str = "") -> subprocess.CompletedProcess[str]:
        """The whole script. `instead` are functions that take the place of its own."""
        # The running nginx answers on a port of the machine, of which there is one.
        answers = 'running_release() { cat "$STAGE/serves" 2>/dev/null || true; }'
        functions = scripts.text(script).removesuffix(body(script))
        text = f"{functions}\n{answers}\n{instead}\n{body(script)}"
        return subprocess.run(
            ["bash", "-c", self._here(text), "wecom-gateway", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "STAGE": str(self.told), "ROOT": str(self.root)},
        )

    def publish(self, release: Release, instead: str = "") -> subprocess.CompletedProcess[str]:
        *arguments, archive = upload(release)
        return self.run("publish", *arguments, stdin=archive, instead=instead)

    def activate(self, release: str, purpose: str = "deploy", origin: str = "") -> subprocess.CompletedProcess[str]:
        return self.run("activate", release, purpose, str(self.entry), *([origin] if origin else []))

    def folder(self, release: str) -> Path:
        return self.home / "releases" / release

    @property
    def current(self) -> str | None:
        """The release that the link leads to."""
        link = self.home / "current"
        return link.readlink().name if link.is_symlink() else None

    @property
    def serves(self) -> str | None:
        """The release that the stand-in of nginx has loaded."""
        path = self.told / "serves"
        return path.read_text().strip() or None if path.exists() else None

    @property
    def history(self) -> list[str]:
        return (self.home / "history").read_text().split()

    def _here(self, text: str) -> str:
        """With this host's folders in the place of the machine's."""
        text = _PLACES.sub(rf"{self.root}\g<0>", text)
        # files of this host are whoever's who runs the test
        text = text.replace("-user root", f"-user {os.geteuid()}").replace("-group root", f"-group {os.getegid()}")
        return re.sub("export PATH=.*", f"export PATH={self.root}/bin:{self.root}/usr/sbin:/usr/bin:/bin", text)
