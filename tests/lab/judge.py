"""What a host is and serves, written down: before a deploy, after it, and after a reboot.

A deploy that is refused must leave every part of it as it was. One that succeeds must leave what others serve: their
answers, their sockets, their packages, what is enabled, and every file that is not the gateway's.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .checkout import on_host

# Changed by the host itself, or by Docker, without anybody's doing.
_VOLATILE = (
    "/etc/ld.so.cache",
    "/etc/mtab",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/etc/machine-id",
    "/etc/.pwd.lock",
    "*/logs/*",
    "*/wwwlogs/*",
    "*/__pycache__*",
    "*_temp/*",
)

# Sections, each after a line that starts with ">>>". Checksums of files, targets of links, owner and mode of both.
_SNAPSHOT = r"""
echo ">>> packages"
dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n'
echo ">>> units"
systemctl list-unit-files --no-legend --no-pager 2>/dev/null | awk '$2 !~ /transient|generated/ { print $1, $2 }'
echo ">>> sockets"
ss -Hltnp | grep -v 127.0.0.11: | sed -E 's/^\S+ +\S+ +\S+ +(\S+) +\S+ *(users:\(\("([^"]*)".*)?$/\1 \3/' | sort -u
echo ">>> files"
find /etc /usr/lib/systemd /usr/local /usr/sbin/nginx /data /srv /www /var/www /var/spool/cron \
    \( @VOLATILE@ \) -prune -o \( -type f -o -type l \) -printf '%p\t%m %u:%g %l\n' 2>/dev/null | sort
echo ">>> sums"
find /etc /usr/lib/systemd /usr/local /usr/sbin/nginx /data /srv /www /var/www /var/spool/cron \
    \( @VOLATILE@ \) -prune -o -type f -print0 2>/dev/null | sort -z | xargs -0 md5sum
""".replace("@VOLATILE@", " -o ".join(f"-path '{pattern}'" for pattern in _VOLATILE))

# One URL a line, asked on the host itself. https: with whose certificate; tcp: whatever is said.
_ASK = r"""
own=$(hostname -i | cut -d ' ' -f 1)
heard=$(mktemp)
fetch() {
    local at=$own
    [[ ! $1 =~ ://([0-9.]+)[:/] ]] || at=${BASH_REMATCH[1]}
    # Of a page its title, of an answer that is none no words: they differ from try to try.
    curl -skv -m 5 --connect-to "::$at:" -w '\n%{http_code} %{redirect_url}' "$1" 2>"$heard" \
        | sed -z 's/<title>\([^<]*\).*\n/\1\n/' | head -c 300
    sed -n 's/^\*  subject: / by /p' "$heard"
}
while read -r url; do
    case $url in
        tcp:*) answer=$(timeout 3 bash -c "exec 3<>/dev/tcp/$own/${url##*:} && cat <&3" 2>/dev/null) ;;
        *) answer=$(fetch "${url/OWN/$own}") ;;
    esac
    printf '%s\t%s\n' "$url" "$(tr '\n\r' '  ' <<<"$answer")"
done
rm -f "$heard"
"""

# What a deploy may add to a host or change there.
GATEWAYS_OWN = re.compile(
    r"/etc/nginx/wecom-gateway(/.*|\..*)?|/etc/nginx/conf\.d/wecom-gateway\.conf|/etc/nginx/modules-enabled/.*"
    r"|/etc/systemd/system/(.*/)?wecom-gateway.*|/etc/logrotate\.d/wecom-gateway.*"
    # the number of connections, and the line of a release
    r"|(/etc/nginx|/usr/local/(openresty/)?nginx/conf)/nginx\.conf"
)


@dataclass(frozen=True)
class Snapshot:
    """A host as it is at one moment; every part maps a name to what is true of it."""

    packages: dict[str, str]
    units: dict[str, str]
    sockets: dict[str, str]
    files: dict[str, str]
    answers: dict[str, str]


def look(host: str, urls: Sequence[str] = ()) -> Snapshot:
    """The host as it is now. In `urls` OWN is its address; a name leads to that too, another address to itself."""
    parts: dict[str, list[str]] = {}
    for line in on_host(host, _SNAPSHOT + 'echo ">>> end"').splitlines():
        if line.startswith(">>> "):
            lines = parts.setdefault(line.removeprefix(">>> "), [])
        else:
            lines.append(line)
    files = _pairs(parts["files"], "\t")
    for line in parts["sums"]:
        checksum, _, path = line.partition("  ")
        files[path] = f"{files.get(path, '')} {checksum}"
    return Snapshot(
        packages=_pairs(parts["packages"], " "),
        units=_pairs(parts["units"], " "),
        sockets=_pairs(parts["sockets"], " "),
        files=files,
        answers=answers(host, urls),
    )


def answers(host: str, urls: Sequence[str]) -> dict[str, str]:
    """What each URL answers, asked on the host itself, so that every address of it can be."""
    listed = "\n".join(urls)
    return _pairs(on_host(host, f"{{ {_ASK} }} <<'X'\n{listed}\nX").splitlines(), "\t") if urls else {}


def answers_like(host: str, before: Snapshot, seconds: float = 15) -> dict[str, str]:
    """The answers to the same URLs once they are those of `before`, or as they are when the time is up."""
    until = time.monotonic() + seconds
    while (found := answers(host, list(before.answers))) != before.answers and time.monotonic() < until:
        time.sleep(0.5)
    return found


def changes(before: Snapshot, after: Snapshot, parts: Iterable[str] = Snapshot.__annotations__) -> str:
    """Every difference in these parts, as text to read in a failed assertion; empty where there is none."""
    return _text({part: _difference(getattr(before, part), getattr(after, part)) for part in parts})


def losses(before: Snapshot, after: Snapshot, may_change: str = "") -> str:
    """What others lost by a deploy that succeeded, as text: what a gateway adds is no loss, nor a change to what is
    its own or has a name that matches `may_change`."""

    def theirs(part: str, snapshot: Snapshot) -> dict[str, str]:
        there: dict[str, str] = getattr(before, part)
        now: dict[str, str] = getattr(snapshot, part)
        return {
            name: value
            for name, value in now.items()
            if name in there and not re.fullmatch(may_change, name) and not GATEWAYS_OWN.fullmatch(name)
        }

    return _text({part: _difference(theirs(part, before), theirs(part, after)) for part in Snapshot.__annotations__})


def _text(found: dict[str, list[str]]) -> str:
    told = {part: lines for part, lines in found.items() if lines}
    return json.dumps(told, indent=1) if told else ""


def _pairs(lines: Iterable[str], separator: str) -> dict[str, str]:
    split = (line.partition(separator) for line in lines)
    return {name: value.strip() for name, _, value in split}


def _difference(before: dict[str, str], after: dict[str, str]) -> list[str]:
    names = sorted(before.keys() | after.keys())
    return [
        f"{name}: {before.get(name, 'not there')} -> {after.get(name, 'not there')}"
        for name in names
        if before.get(name) != after.get(name)
    ]
