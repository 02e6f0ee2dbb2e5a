"""ShellCheck over every shell script, each as it really runs: behind the functions that stand before it.

`python -m tests.shellcheck` prints what was found by file and line, and ends with 1 where that is anything.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gateway.onhost import scripts
from lab import images, kinds

ROOT = Path(__file__).resolve().parents[1]
UNUSED = 2034


@dataclass(frozen=True)
class Script:
    """A text that some shell runs, and the files that it is put together from."""

    dialect: str
    text: str
    parts: tuple[Path, ...]

    def place(self, line: int) -> tuple[Path, int] | None:
        """Which line of which file a line of the text is, where it is any."""
        for path in self.parts:
            part = path.read_text()
            first = self.text[: self.text.index(part)].count("\n") + 1
            if first <= line < first + part.count("\n"):
                return path, line - first + 1
        return None


@dataclass(frozen=True, order=True)
class Finding:
    """What is wrong at a place, as ShellCheck puts it."""

    path: Path
    line: int
    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.text} [SC{self.code}]"


def every() -> list[Script]:
    """All scripts there are. A file that only ever stands before others is looked at together with them."""
    folder = Path(scripts.__file__).parent
    on_hosts = _composed("bash", {path: scripts.text(path.stem) for path in folder.glob("*.sh")})
    on_kinds = [
        Script("bash", kinds.text(name), (kinds.path(kinds.COMMON), kinds.path(name))) for name in kinds.names()
    ]
    in_images = [
        Script("dash", f"set -{images.SHELL_OPTIONS}\n{path.read_text()}", (path,))
        for path in images.SCRIPTS.glob("*.sh")
    ]
    alone = [ROOT / ".ci/run", *(ROOT / "gateway/starter/files/ci").glob("*.sh")]
    return [*on_hosts, *on_kinds, *in_images, *(Script("bash", path.read_text(), (path,)) for path in alone)]


def findings(checked: list[Script]) -> list[Finding]:
    """What ShellCheck finds, once for each place.

    A variable that a file sets for the scripts that it stands before is unused where none of them uses it.
    """
    with ThreadPoolExecutor() as pool:
        found = list(zip(checked, pool.map(lambda script: set(_findings(script)), checked), strict=True))

    def holds(finding: Finding) -> bool:
        having = (mine for script, mine in found if finding.path in script.parts)
        return finding.code != UNUSED or all(finding in mine for mine in having)

    return sorted({finding for _, mine in found for finding in mine if holds(finding)})


def _composed(dialect: str, texts: dict[Path, str]) -> Iterator[Script]:
    own = {path: path.read_text() for path in texts}
    parts = {path: tuple(other for other in texts if own[other] in text) for path, text in texts.items()}
    before_others = {part for path, having in parts.items() for part in having if part != path}
    for path, text in texts.items():
        if path not in before_others:
            yield Script(dialect, text, parts[path])


@cache
def _program() -> str:
    """The one beside this Python; the lock has none for Linux on ARM."""
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return shutil.which("shellcheck", path=beside) or sys.exit("there is no shellcheck: apt-get install shellcheck")


def _findings(script: Script) -> Iterator[Finding]:
    done = subprocess.run(
        [_program(), "--norc", "--format=json1", f"--shell={script.dialect}", "-"],
        input=script.text,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        sys.exit(f"shellcheck failed: {done.stderr}")
    for each in json.loads(done.stdout)["comments"]:
        path, line = script.place(each["line"]) or (script.parts[-1], 0)
        yield Finding(path, line, each["code"], f"{each['level']}: {each['message']}")


def main() -> None:
    """Checks all of them."""
    found = findings(every())
    for finding in found:
        print(finding)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
