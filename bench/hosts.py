"""The lab hosts that are deployed to, and what they saw of a deploy.

Everything counted here is counted on the host, by its own sshd and systemd, so it does not matter which
tool connects, nor what that tool says of itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lab
from bench.errors import BenchError
from bench.progress import say
from bench.schools import HOME, School
from lab import topology
from lab.engine import docker
from lab.hosts import copies, exec_in, names, remove

_FIRST, _LAST = 60, 99

_PREPARE = """
echo 'LogLevel VERBOSE' >/etc/ssh/sshd_config.d/bench.conf  # one line in the journal for each session
systemctl reload ssh
apt-get update -qq
# Python's whole library and apt's are what Ansible needs on a host.
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nginx ca-certificates python3 python3-apt
"""

_RESET = f"""
systemctl disable --quiet --now 'wecom-gateway*.timer' 2>/dev/null
rm -rf {HOME} /etc/nginx/conf.d/wecom-gateway.conf /etc/nginx/modules-enabled/90-wecom-gateway.conf \
    /etc/systemd/system/wecom-gateway*
systemctl daemon-reload
ln -sf /etc/nginx/sites-available/default /etc/nginx/sites-enabled/default
systemctl restart nginx
"""

# Prints the sessions in the journal, and whether nginx was reloaded, since it was last asked.
_COUNT = """
journalctl -q --sync
journalctl -q -o cat -u ssh --cursor-file=/run/bench.cursor >/run/bench.seen
grep -c '^Starting session: ' /run/bench.seen
# The newest worker is another one after a reload, whoever asked for it and however.
pgrep -n -P "$(systemctl show -p MainPID --value nginx)" >/run/bench.worker
cmp -s /run/bench.worker /run/bench.worker.before && echo 0 || echo 1
mv /run/bench.worker /run/bench.worker.before
"""

_POST = """
head -c "$1" /dev/zero \
    | curl -sk -o /dev/null -w '%{http_code}' --resolve "$2:80:127.0.0.1" --resolve "$2:443:127.0.0.1" \
        --data-binary @- "$3://$2/"
"""


@dataclass(frozen=True)
class Seen:
    """What a host saw: SSH sessions (every command run and every sftp start is one), and whether nginx reloaded."""

    sessions: int
    reloaded: bool


@dataclass(frozen=True)
class BenchHost:
    """One lab host with nginx from Debian on it, and an sshd that logs every session."""

    name: str

    @property
    def address(self) -> str:
        return topology.address(self.name)

    def run(self, script: str, *arguments: str, timeout: float = 300) -> str:
        """Runs a shell script as root on the host and returns its output. It does not use SSH, so it is not counted."""
        return exec_in(self.name, ["sh", "-c", script, "bench", *arguments], timeout=timeout)

    def reset(self) -> None:
        """Takes the host back to nginx as its package left it, and nothing else."""
        self.run(_RESET)
        self.seen()

    def seen(self) -> Seen:
        """What the host saw since the last call."""
        sessions, reloaded = map(int, self.run(_COUNT).split())
        return Seen(sessions, bool(reloaded))

    def versions(self) -> dict[str, str]:
        """Debian's and nginx's."""
        debian, nginx = self.run("cat /etc/debian_version; nginx -v 2>&1").split("\n")
        return {"debian": debian, "nginx": nginx.rpartition("/")[2]}

    def nginx_says(self) -> str:
        """The output of `nginx -t`, for the message where a deploy failed."""
        return self.run("nginx -t 2>&1 | tail -n 5")

    def fetch_home(self, target: Path) -> str:
        """Copies everything of the gateway to `target`; returns the name of the release in force."""
        docker("cp", f"{topology.container(self.name)}:{HOME}/.", str(target))
        return Path(self.run(f"readlink -f {HOME}/current")).name

    def must_serve(self, school: School) -> None:
        """Raises BenchError unless nginx serves `school`: its verification file and its body limit.

        Old workers may answer for a moment after a reload, so it is asked for a while.
        """
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self._serves(school):
                return
            time.sleep(0.2)
        raise BenchError(f"{self.name} does not serve {school.domain} as it was deployed")

    def _serves(self, school: School) -> bool:
        url = f"http://127.0.0.1/{school.verify_name}"
        if self.run('curl -s -H "Host: $1" "$2"', school.domain, url) != school.verify_body:
            return False
        limit = school.max_body_kib * 1024
        scheme = {"slb": "http", "tls": "https"}[school.edge]
        fits = self.run(_POST, str(limit), school.domain, scheme)
        too_big = self.run(_POST, str(limit + 1), school.domain, scheme)
        return fits != "413" and too_big == "413"


@contextmanager
def copied(source: BenchHost, count: int) -> Iterator[list[BenchHost]]:
    """So many hosts more, each with a copy of the disk of `source`. They are removed at the end of the context."""
    chosen = _free(1, count)
    say(f"{count} copies of {source.name}: booting")
    with copies(source.name, chosen):
        yield [BenchHost(name) for name in chosen]


@contextmanager
def borrowed(count: int) -> Iterator[list[BenchHost]]:
    """So many hosts that nobody else uses, ready. They are removed at the end of the context, also after an error."""
    lab.up(hosts=[], progress=say)  # its engine knows which hosts there are
    chosen = _free(_FIRST, count)
    try:
        say(f"lab hosts {', '.join(chosen)}: booting and installing nginx")
        lab.up(hosts=chosen, progress=say)
        hosts = [BenchHost(name) for name in chosen]
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda host: host.run(_PREPARE), hosts))
        yield hosts
    finally:
        say(f"removing {', '.join(chosen)}")
        remove(chosen)


def _free(first: int, count: int) -> list[str]:
    """So many names of hosts that there are none of yet, from `first` up."""
    taken = set(names())
    free = [name for number in range(first, _LAST + 1) if (name := f"t{number:02}") not in taken]
    if len(free) < count:
        raise BenchError(f"the lab has no {count} hosts left between t{first:02} and t{_LAST}")
    return free[:count]
