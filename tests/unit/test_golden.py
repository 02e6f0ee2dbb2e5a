"""What is rendered stays byte for byte what it was: a change to it is made on purpose, with `make golden`."""

from __future__ import annotations

import difflib

import pytest

from tests.golden import inventories, trees


@pytest.mark.parametrize(("name", "version"), [*inventories.cases()])
def test_what_is_rendered_is_what_is_kept(name: str, version: str) -> None:
    files = trees.rendered(name, version)
    now, kept = trees.manifest(files), trees.kept_manifest(name, version)
    if now == kept:
        return
    told = [*difflib.unified_diff(kept.splitlines(), now.splitlines(), "kept", "now", n=0, lineterm="")]
    for path, file in files.items():
        before = trees.kept_text(name, version, path)
        if trees.is_text(path) and before != file.body.decode():
            texts = (before or "").splitlines(), file.body.decode().splitlines()
            told += difflib.unified_diff(*texts, f"kept/{path}", f"now/{path}", lineterm="")
    pytest.fail("\n".join([*told[:200], "right after a change that is meant: make golden, and read git diff"]))


def test_every_kept_tree_has_its_inventory() -> None:
    assert {place.name for place in trees.FOLDER.iterdir()} == set(inventories.INVENTORIES)
