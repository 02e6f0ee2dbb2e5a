"""Files that are replaced whole: nobody ever reads half of one."""

from __future__ import annotations

from pathlib import Path

from gateway import whole_file


def test_two_that_write_the_same_file_do_not_take_each_others_part(tmp_path, monkeypatch):
    """A timer's `status --metrics` and one by hand: what was half written would take the file's place."""
    path, replace = tmp_path / "x.prom", Path.replace

    def after_another(part, target):
        monkeypatch.setattr(Path, "replace", replace)
        whole_file.write(path, "theirs")
        return replace(part, target)

    monkeypatch.setattr(Path, "replace", after_another)
    whole_file.write(path, "ours")
    assert path.read_text() == "ours"
    assert list(tmp_path.iterdir()) == [path]
