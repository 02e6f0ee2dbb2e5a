"""`comment.py FILE`: puts the text of FILE under a change request, in as many comments as it takes.

GitHub, Gitea and Forgejo have the same call for it. From the environment: API_URL, REPOSITORY (owner/name), REQUEST
(its number), COMMIT, and TOKEN, which may write comments.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

# GitHub takes 65,536 characters a comment.
LONGEST = 60_000
# More of them nobody reads; the job's log has all of it.
MOST = 20


def parts(text: str) -> Iterator[str]:
    """The text in pieces of LONGEST characters at most, cut at ends of lines where there are any."""
    while len(text) > LONGEST:
        end = text.rfind("\n", 0, LONGEST) + 1 or LONGEST
        yield text[:end]
        text = text[end:]
    yield text


def bodies(text: str, commit: str) -> list[str]:
    """One comment for each part. Longer than any in the text is the fence around it."""
    pieces = list(parts(text))
    longest = max(map(len, re.findall("~+", text)), default=0)
    fence = "~" * max(3, longest + 1)
    found = [
        f"Preview of {commit[:12]}, {number} of {len(pieces)}\n\n{fence}text\n{piece}\n{fence}\n"
        for number, piece in enumerate(pieces[:MOST], 1)
    ]
    if len(pieces) > MOST:
        found[-1] += "\nThe rest is in the job's log.\n"
    return found


def main() -> None:
    """Sends them, one after another."""
    address = f"{os.environ['API_URL']}/repos/{os.environ['REPOSITORY']}/issues/{os.environ['REQUEST']}/comments"
    if not address.startswith(("https://", "http://")):
        sys.exit(f"comment.py: API_URL is no web address: {address}")
    headers = {"Authorization": f"token {os.environ['TOKEN']}", "Content-Type": "application/json"}
    for body in bodies(Path(sys.argv[1]).read_text("utf-8", "replace"), os.environ["COMMIT"]):
        request = Request(address, json.dumps({"body": body}).encode(), headers)  # noqa: S310
        with urlopen(request, timeout=60):  # noqa: S310
            pass


if __name__ == "__main__":
    main()
