"""The product itself: its version, its templates, and which of them the current folder replaces."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

NAME = "wecom-gateway"

_PACKAGE = Path(__file__).parent
# An installed package holds them; in a checkout they lie beside it.
_TEMPLATES = next(folder for folder in (_PACKAGE / "templates", _PACKAGE.parent / "templates") if folder.is_dir())
_CHANGELOG = (_PACKAGE / "CHANGELOG.md", _PACKAGE.parent / "CHANGELOG.md")


def checkout() -> Path | None:
    """The folder of the checkout that runs; None where an installed package does."""
    return _PACKAGE.parent if _project() else None


@cache
def version() -> str:
    """Of the product that runs, like "0.2.0". Empty where neither a checkout's pyproject.toml nor pip says it."""
    project = _project()
    if project:
        return str(project.get("version", ""))
    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:
        return ""


def dependencies() -> list[str]:
    """The packages that the product needs, as pip's requirements."""
    named = _project().get("dependencies")
    if isinstance(named, list):
        return [*map(str, named)]
    try:
        return metadata.requires(NAME) or []
    except metadata.PackageNotFoundError:
        return []


@cache
def changelog() -> str:
    """The text of CHANGELOG.md. Empty where it cannot be read."""
    for path in _CHANGELOG:
        try:
            return path.read_text("utf-8")
        except (OSError, UnicodeError):
            continue
    return ""


def full_name() -> str:
    """Like "wecom-gateway 0.2.0"; the name alone where the version is not known."""
    return f"{NAME} {version()}".rstrip()


@cache
def _project() -> dict[str, object]:
    """What pyproject.toml beside the package says of this product; empty where there is none, or another's."""
    try:
        project = tomllib.loads((_PACKAGE.parent / "pyproject.toml").read_text("utf-8")).get("project", {})
    except (OSError, ValueError):
        return {}
    return project if project.get("name") == NAME else {}


def template_folders(kind: str) -> tuple[Path, Path]:
    """The two folders where templates of a kind ("nginx", "verify", ...) are looked for, the current folder's first."""
    return Path.cwd() / "templates" / kind, _TEMPLATES / kind


def template(kind: str, name: str) -> Path:
    """The path of one file of a kind: the current folder's own where it has one, else the product's."""
    own, shipped = template_folders(kind)
    return own / name if (own / name).is_file() else shipped / name


def templates(kind: str) -> list[str]:
    """The name of every file of a kind that the product has, in their order."""
    _, shipped = template_folders(kind)
    return sorted(file.name for file in shipped.iterdir())


def own_templates() -> list[str]:
    """The files under the current folder's own `templates/`, like "nginx/error.html", in the order of names.

    Empty where that folder is the product's own. Hidden files and READMEs are passed over.
    """
    own = Path.cwd() / "templates"
    if not own.is_dir() or own.samefile(_TEMPLATES):
        return []
    return _names(own)


def shipped_templates() -> list[str]:
    """The product's own, in the same way."""
    return _names(_TEMPLATES)


def _names(folder: Path) -> list[str]:
    names = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if not path.is_dir()]
    return [
        name.as_posix()
        for name in names
        if not any(part.startswith(".") for part in name.parts) and not name.name.startswith("README")
    ]
