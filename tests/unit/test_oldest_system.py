"""What RHEL 7 has is the floor of scripts that run on a host: bash 4.2, systemd 219, coreutils 8.22, tar 1.26."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.onhost import scripts

SCRIPTS = sorted(Path(scripts.__file__).parent.glob("*.sh"))
# By what is not known there. Arrays that may be empty are unset ones for bash before 4.4.
NEWER = {
    "a transformation of a value (bash 4.4)": r"\$\{[^}]*@[QEPAaUuLKk]\}",
    "a name for another variable (bash 4.3)": r"\b(local|declare|typeset) -[A-Za-z]*n\b",
    "mapfile by a delimiter (bash 4.4)": r"\b(mapfile|readarray)\b[^;|<]* -d\b",
    "waiting for the next job (bash 4.3)": r"\bwait -n\b",
    "a variable of the time (bash 5)": r"\bEPOCH(REAL)?SECONDS\b",
    "an element that is set (bash 4.3)": r"\[\[ [^]]*-v \w+\[",
    "the value alone (systemd 230)": r"\bsystemctl\b[^|;]* --value\b",
    "enabled and started in one (systemd 220)": r"\bsystemctl enable\b[^|;]* --now\b",
    "names as they are, which --null says too (tar 1.29)": r"--verbatim-files-from",
    "one file system alone (coreutils 8.24)": r"\bsync -f\b",
}
_ARRAY = re.compile(r'(?<!\+)"\$\{(\w+)\[@\]\}"')
# Arrays that have an element wherever they are used, and lines that ask before whether there is one.
_FILLED = {"options", "named", "others", "units", "identity", "wrong", "domains", "usual_places", "usual_units"}
_FILLED |= {"apt_packages", "rpm_packages", "authorities", "name", "sizes", "same", "folders"}


def _code(path: Path) -> str:
    return re.sub(r"^\s*#.*", "", path.read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_no_script_asks_for_more_than_the_oldest_system_has(path):
    code = _code(path)
    # the only one that looks first
    code = code.replace('then sync -f "$1"; else sync; fi', "")
    assert [what for what, pattern in NEWER.items() if re.search(pattern, code)] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_an_array_that_may_be_empty_is_asked_for_as_one(path):
    assert set(_ARRAY.findall(_code(path))) <= _FILLED


@pytest.mark.parametrize(
    "line",
    [
        *('echo "${name@Q}"', "local -n held=$1", "mapfile -t -d '' names", "wait -n", "systemctl show -p A --value x"),
        *("systemctl enable --quiet --now x", "tar --null --verbatim-files-from -T -", 'sync -f "$1"'),
    ],
)
def test_what_is_newer_is_seen(line):
    assert any(re.search(pattern, line) for pattern in NEWER.values())
