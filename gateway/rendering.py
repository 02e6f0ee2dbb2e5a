"""The product's templates, rendered; those of the current folder's own `templates/` go first.

An operator may have written the template that fails, so a failure says which file it is and what helps.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    meta,
    select_autoescape,
)

from gateway import product
from gateway.problems import Problem, nearest

Filters = Mapping[str, Callable[[str], str]]

_RIGHT = f"correct it, or delete the file, and {product.NAME}'s own is used again"
_NO_TEXT = "is not UTF-8 text"


class BrokenTemplateError(Exception):
    """A template of the current folder's own cannot be used; the problem says where, why, and what helps."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def render(kind: str, name: str, values: Mapping[str, object], filters: Filters = MappingProxyType({})) -> str:
    """The text that a template of a kind ("nginx", "verify", ...) gives. In `*.html.j2` values are escaped.

    Raises BrokenTemplateError where it fails and the current folder has templates of that kind.
    """
    folders = product.template_folders(kind)
    environment = _environment(folders)
    environment.filters.update(filters)
    try:
        return environment.get_template(name).render(**values)
    except Exception as error:  # a template may fail in any way that Python can
        own = [Path.cwd() / "templates" / one for one in product.own_templates() if one.startswith(f"{kind}/")]
        if not own:
            raise
        raise BrokenTemplateError(_failure(error, own, folders)) from error


def text(kind: str, name: str) -> str:
    """A file of a kind that is taken as it is. Raises BrokenTemplateError where it cannot be read as UTF-8."""
    path = product.template(kind, name)
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenTemplateError(_unreadable(path, error)) from error


def problems() -> list[Problem]:
    """What is wrong with the current folder's own templates that can be seen without rendering them."""
    own = product.own_templates()
    if not own:
        return []
    found = []
    shipped = product.shipped_templates()
    parts: set[str] = set()
    for name in own:
        path = Path.cwd() / "templates" / name
        if path.exists() and not path.is_file():  # a pipe would be waited for
            found.append(_problem(_shown(path), "is no regular file"))
            continue
        try:
            body = path.read_text("utf-8")
            if name.endswith(".j2"):
                parts |= _references(name, body)
        except TemplateSyntaxError as error:
            found.append(_problem(f"{_shown(path)}:{error.lineno}", str(error.message)))
        except (OSError, UnicodeDecodeError) as error:
            found.append(_unreadable(path, error))
    for name in own:
        if name not in shipped and name not in parts:
            close = nearest(name, shipped)
            text = f"{product.full_name()} has no template of this name; rename or delete it"
            hint = f' (did you mean "templates/{close}"?)' if close else ""
            found.append(Problem("", "", f"templates/{name}", text + hint))
    return sorted(found)


def _references(name: str, body: str) -> set[str]:
    """The templates of the same kind that a template includes, extends or imports."""
    kind = name.partition("/")[0]
    names = meta.find_referenced_templates(_environment(product.template_folders(kind)).parse(body))
    return {f"{kind}/{one}" for one in names if one}


@cache
def _environment(folders: tuple[Path, ...]) -> Environment:
    # nginx configuration and Markdown are no HTML: their values are safe by the types of gateway.inventory.model, or
    # by filters.
    return Environment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html.j2"], default=False),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _failure(error: Exception, own: list[Path], folders: tuple[Path, Path]) -> Problem:
    """What made a template fail, at the innermost line of an own one that was reached.

    Where none was, a shipped one misses what an own one does without: that is the only one, or one of its folder.
    """
    if isinstance(error, TemplateSyntaxError):
        return _problem(f"{_shown(Path(error.filename or folders[0]))}:{error.lineno}", str(error.message))
    lines = [
        (Path(frame.filename), frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(tuple(f"{folder}/" for folder in folders))
    ]
    place = next((f"{_shown(path)}:{line}" for path, line in reversed(lines) if path in own), "")
    fault = f"there is no template {error.name}" if isinstance(error, TemplateNotFound) else str(error)
    if isinstance(error, UnicodeDecodeError):
        fault = _NO_TEXT
    if lines and lines[-1][0] not in own:
        fault = f"{fault} (in {product.NAME}'s own {lines[-1][0].name}, line {lines[-1][1]})"
    return _problem(place or _shown(own[0] if len(own) == 1 else folders[0]), fault)


def _unreadable(path: Path, error: OSError | UnicodeDecodeError) -> Problem:
    return _problem(_shown(path), error.strerror or str(error) if isinstance(error, OSError) else _NO_TEXT)


def _problem(place: str, fault: str) -> Problem:
    return Problem("", "", place, f"{fault.rstrip('.')}; {_RIGHT}")


def _shown(path: Path) -> str:
    """The path as it is seen from the current folder."""
    return str(path.relative_to(Path.cwd()) if Path.cwd() in path.parents else path)
