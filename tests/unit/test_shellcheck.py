"""Which scripts ShellCheck is given, and where what it finds is said to be."""

from __future__ import annotations

import pytest

from tests import shellcheck
from tests.shellcheck import ROOT, Script


def test_every_script_of_the_checkout_is_checked():
    paths = [path for path in ROOT.rglob("*") if not {".git", ".venv"} & {*path.parts} and path.is_file()]
    shell = {path for path in paths if path.suffix == ".sh" or _says_shell(path)}
    assert len(shell) > 40
    assert shell == {path for script in shellcheck.every() for path in script.parts}


def _says_shell(path):
    with path.open("rb") as file:
        first = file.readline()
    return first.startswith(b"#!") and first.split()[-1].rpartition(b"/")[2] in (b"sh", b"bash", b"dash")


@pytest.fixture
def composed(tmp_path, monkeypatch):
    """Scripts that are put together from files of these texts: the first one stands before each of the others."""
    monkeypatch.setattr(shellcheck, "ROOT", tmp_path)

    def write(before, *texts):
        paths = []
        for number, text in enumerate((before, *texts)):
            paths.append(tmp_path / f"{number}.sh")
            paths[-1].write_text(text)
        scripts = [Script("bash", before + path.read_text(), (paths[0], path)) for path in paths[1:]]
        return [str(finding).partition(": ")[0] for finding in shellcheck.findings(scripts)]

    return write


def test_findings_name_the_file_and_its_own_line_once(composed):
    assert composed("true\ncd $1\n", "true\n", "true\ntrue\nrm $2\n") == ["0.sh:2", "0.sh:2", "2.sh:3"]


def test_a_variable_for_the_scripts_behind_is_unused_where_none_of_them_uses_it(composed):
    assert composed("home=/a\n", "true\n", 'echo "$home"\n') == []
    assert composed("home=/a\n", "true\n", "true\n") == ["0.sh:1"]


def test_a_variable_that_one_script_alone_is_without_is_told(composed):
    assert composed('echo "$name"\n', "name=1\n", "true\n") == ["0.sh:1"]
