"""Why no inventory can be loaded: texts for errors of an inventory's file, of group data, or of how they are named."""

from __future__ import annotations

import re
import traceback
import unicodedata
from itertools import pairwise
from pathlib import Path

from pyinfra.api.exceptions import PyinfraError
from pyinfra_cli.util import exec_file

from gateway.problems import LOOK_ALIKES, shown

# What Windows editors put before the first line, and Python takes for a letter where it is given text.
_BOM = "\ufeff"
# What Python says of two entries without a comma between them, which it takes for a call or an index.
_NO_COMMA = re.compile(
    r"'(?:tuple|list|dict|str)' object is not callable|list indices must be integers or slices, not "
)

# What Python says of a sign of a Chinese keyboard, or of a web page, outside of quotes.
_NO_SIGN = re.compile(r"invalid (?:non-printable )?character .*?U\+([0-9A-F]{4,6})")

# Words of JSON that Python spells otherwise.
_OF_JSON = {"true": "True", "false": "False", "null": "None"}


def wrong_name(name: str) -> str | None:
    """What is wrong with the name of an inventory that was meant to be a file. None where it can be loaded."""
    path = Path(name)
    if path.is_dir():
        return "is a folder; name a file, for example inventory/prod.py"
    if path.suffix == ".py" and not path.is_file():
        return "no such file; name an inventory, for example inventory/prod.py"
    # without a slash it may be the name of a host
    if "/" in name and not path.exists() and Path(f"{name}.py").is_file():
        return f"no such file; did you mean {name}.py?"
    return None


def unreadable(error: Exception, filename: str) -> str:
    """Place and text of an error that pyinfra or Python raised when it read `filename`, or a list of hosts."""
    if isinstance(error, SyntaxError):
        if (error.text or "").startswith(_BOM) and error.lineno == 1:
            return f"{error.filename}: starts with a byte order mark; save it as UTF-8 without BOM"
        said = f"{error.msg}{_typed_otherwise(error.msg)}"
        # one about the file as a whole has no place
        return f"{error.filename}:{error.lineno}: {said}" if error.filename else f"{filename}: {said}"
    if isinstance(error, UnicodeDecodeError):
        return f"{filename}: is not UTF-8 text; save it as UTF-8"
    if isinstance(error, LookupError | UnicodeError) and not isinstance(error, PyinfraError):
        right = "right would be a file like inventory/prod.py, or hosts like 203.0.113.10,203.0.113.11"
        return f"{filename}: no hosts can be read from it; {right}"
    # a list of hosts is named by its first one, as that host's error is
    return str(error) if str(error).startswith(f"{filename}: ") else f"{filename}: {error}"


def _typed_otherwise(said: str) -> str:
    """What to type in place of a character that Python names by its number, since it knows no such sign."""
    match = _NO_SIGN.match(said)
    if not match:
        return ""
    sign = chr(int(match[1], 16))
    right = LOOK_ALIKES.get(sign) or {"、": ","}.get(sign) or unicodedata.normalize("NFKC", sign)
    if right.isspace() or not sign.isprintable():
        return "; a space of a Chinese keyboard or a web page; delete it and type it anew"
    return f"; type it with an English keyboard: {right}" if right.isascii() else ""


def raised(error: Exception, filename: str) -> str:
    """Place and text of an exception that the operator's own code in `filename` raised."""
    if isinstance(error, SyntaxError) and error.filename:
        return unreadable(error, filename)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == filename]
    hint = "; a comma is missing between two entries" if _NO_COMMA.match(str(error)) else ""
    if isinstance(error, NameError) and error.name in _OF_JSON:
        hint = f"; in Python it is {_OF_JSON[error.name]}"
    return f"{filename}:{lines[-1] if lines else 0}: {type(error).__name__}: {error}{hint}"


def ended(error: SystemExit, inventory: str) -> str:
    """Place and text of an exit() in the operator's own code, which would else pass for a check without findings."""
    frames = traceback.extract_tb(error.__traceback__)
    # pyinfra runs the inventory or a file of group data; the error names neither
    run = [after for before, after in pairwise(frames) if before.name == exec_file.__name__]
    place = f"{run[-1].filename}:{run[-1].lineno}" if run else inventory
    said = f" ({shown(error.code)})" if isinstance(error.code, str) else ""
    return f"{place}: ends the run{said}; take sys.exit or exit out, or raise an exception that says what is wrong"
