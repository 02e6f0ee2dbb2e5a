"""The product's own files, and which of them the current folder replaces."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
# Inside of the package where it is installed, beside it in a checkout.
_TEMPLATES = next(folder for folder in (_PACKAGE / "templates", _PACKAGE.parent / "templates") if folder.is_dir())


def template_folders(kind: str) -> tuple[Path, Path]:
    """Where templates of a kind ("nginx", "verify", ...) are looked for: the current folder's own go first."""
    return Path.cwd() / "templates" / kind, _TEMPLATES / kind


def template(kind: str, name: str) -> Path:
    """One file of a kind, as it stands there."""
    own, shipped = template_folders(kind)
    return own / name if (own / name).is_file() else shipped / name


def templates(kind: str) -> list[Path]:
    """Every file of a kind that the product has, in the order of names."""
    _, shipped = template_folders(kind)
    return [template(kind, file.name) for file in sorted(shipped.iterdir())]
