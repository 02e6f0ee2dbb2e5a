"""`python -m tests.halves`: the unit tests in two processes, each with half of the files, for a machine of two cores.

What is printed is pytest's own, one half after the other. Exit 0 where both passed, else the exit code of one that did
not. pytest-xdist is no way to do it: pyinfra makes threads and sockets cooperative, and xdist's workers hang on that.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

_UNIT = Path(__file__).parent / "unit"


def halves(folder: Path) -> tuple[list[Path], list[Path]]:
    """The test files of a folder, divided so that both halves have about as much text."""
    parts: tuple[list[Path], list[Path]] = ([], [])
    sizes = [0, 0]
    for path in sorted(folder.glob("test_*.py"), key=lambda one: (-one.stat().st_size, one.name)):
        smaller = sizes.index(min(sizes))
        parts[smaller].append(path)
        sizes[smaller] += path.stat().st_size
    return parts


def main(arguments: list[str]) -> int:
    """Runs both halves with these further arguments of pytest."""
    with tempfile.TemporaryFile() as first, tempfile.TemporaryFile() as second:
        outputs = (first, second)
        runs = [
            subprocess.Popen(
                [sys.executable, "-m", "pytest", *arguments, *sorted(map(str, part))],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            for part, output in zip(halves(_UNIT), outputs, strict=True)
        ]
        codes = [run.wait() for run in runs]
        for output in outputs:
            output.seek(0)
            sys.stdout.write(output.read().decode(errors="replace"))
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
