"""Where the product's templates lie. A file of the same name under templates/ in the current folder replaces one."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
# An installed package holds them; in a checkout they lie beside it.
_TEMPLATES = next(folder for folder in (_PACKAGE / "templates", _PACKAGE.parent / "templates") if folder.is_dir())


def template_folders(kind: str) -> tuple[Path, Path]:
    """The two folders where templates of a kind ("nginx", "verify", ...) are looked for, the current folder's first."""
    return Path.cwd() / "templates" / kind, _TEMPLATES / kind


def template(kind: str, name: str) -> Path:
    """The path of one file of a kind: the current folder's own where it has one, else the product's."""
    own, shipped = template_folders(kind)
    return own / name if (own / name).is_file() else shipped / name


def templates(kind: str) -> list[Path]:
    """The path of every file of a kind that the product has, in the order of names."""
    _, shipped = template_folders(kind)
    return [template(kind, file.name) for file in sorted(shipped.iterdir())]
