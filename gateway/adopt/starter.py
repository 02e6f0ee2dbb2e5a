"""A folder of one's own to deploy from."""

from __future__ import annotations

from pathlib import Path

_STAGES = {
    "deploy.py": "from gateway.deploys import stages\n\nstages.deploy()\n",
    "rollback.py": (
        'from gateway.deploys import operations\n\noperations.roll_back(name="Roll back to the previous release")\n'
    ),
    "config.py": "from gateway.deploys.preflight import stop_on_problems\n\nstop_on_problems()\n",
    ".gitignore": "privkey.pem\n*.key\n.privkey.pem.*\n",
}


class FolderError(Exception):
    """The folder cannot be written; the text says why and what would be right."""


def write(folder: Path, *, inventory: dict[str, str] | None, group_data: dict[str, str] | None) -> list[Path]:
    """Writes what a deploy needs into `folder`, with these texts by file name. Returns the paths of all files.

    Raises FolderError.
    """
    texts = {Path(name): text for name, text in _STAGES.items()}
    texts |= {Path("inventory") / name: text for name, text in (inventory or {}).items()}
    texts |= {Path("group_data") / name: text for name, text in (group_data or {}).items()}
    try:
        for name, text in texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise FolderError(f"{error.filename} cannot be written: {error.strerror}; name another folder") from None
    return [folder / name for name in texts]
