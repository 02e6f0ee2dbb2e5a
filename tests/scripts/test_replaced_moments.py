"""Files whose place a release takes, at each moment of a deploy: it may be killed, or the power may fail."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from gateway.deploys import state

from .host_stage import GIVES_UP, Stage
from .test_replaced_files import BOTH, OTHER, build, host

__all__ = ("build", "host")

# Before each step that changes a file: what nginx would read if it were started now. Step number $STAGE/killed is the
# script's last.
_LOOK = r"""
nginx=$ROOT/etc/nginx
echo . >>"$STAGE/steps"
[ ! -e "$STAGE/killed" ] || [ "$(wc -l <"$STAGE/steps")" != "$(cat "$STAGE/killed")" ] || kill -9 $PPID
if [ -e "$nginx/conf.d/wecom-gateway.conf" ] && [ -f "$nginx/wecom-gateway/current/replaces" ]; then
    while read -r path; do
        [ ! -e "$path" ] || echo "$path before: ${0##*/} $*" >>"$STAGE/both"
    done <"$nginx/wecom-gateway/current/replaces"
fi
"""


_SOON = "seq() { echo 1; }"


@pytest.fixture
def watched(host):
    """The host, where each change is looked at."""
    for name in ("mv", "ln", "rm", "sync"):
        path = host.root / "bin" / name
        path.write_text(f'#!/bin/bash\n{_LOOK}\nexec {shutil.which(name)} "$@"\n')
        path.chmod(0o755)
    return host


def _both(host: Stage) -> str:
    path = host.told / "both"
    return path.read_text() if path.exists() else ""


@pytest.fixture
def elsewhere(host):
    """A folder on another file system from which nginx reads."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    if folder.stat().st_dev == host.root.stat().st_dev:
        pytest.skip("there is one file system here")
    main = host.root / "etc/nginx/nginx.conf"
    main.write_text(main.read_text().replace("http {", f"http {{ include {folder}/*.conf;"))
    yield folder
    shutil.rmtree(folder)


def test_a_file_comes_back_to_another_file_system_whole_or_not_at_all(watched, build, elsewhere):
    path = elsewhere / "school.conf"
    path.write_text(OTHER)
    path.chmod(0o640)
    first, second = build(), build(str(path))
    for release in (first, second):
        assert watched.activate(release.id).returncode == 0
    assert list(elsewhere.iterdir()) == []
    # killed with half of the copy there
    half = 'cp() { printf half >"${*: -1}"; kill -9 $$; }'
    assert watched.run("activate", first.id, "rollback", str(watched.entry), instead=half).returncode != 0
    assert not path.exists()
    assert watched.activate(first.id, purpose="rollback").returncode == 0
    assert [one.name for one in elsewhere.iterdir()] == ["school.conf"]
    assert (path.read_text(), path.stat().st_mode & 0o777) == (OTHER, 0o640)


def test_a_copy_that_comes_back_is_on_the_disk_before_it_has_its_name_and_the_other_goes(watched, build, elsewhere):
    """A power failure would leave an empty file, or none at all."""
    path = elsewhere / "school.conf"
    path.write_text(OTHER)
    first, second = build(), build(str(path))
    for release in (first, second):
        assert watched.activate(release.id).returncode == 0
    kept = watched.home / f"aside{path}"
    assert kept.read_text() == OTHER
    look = """sync() {
        if [ "$1" = --help ]; then echo --file-system; return; fi
        [ ! -e "$aside$path" ] || ls -A "${path%/*}" "$aside$path" >>"$STAGE/synced"
    }"""
    assert watched.run("activate", first.id, "rollback", str(watched.entry), instead=look).returncode == 0
    one, other = ([str(kept), "", f"{elsewhere}:", name] for name in (".school.conf.wecom-gateway", "school.conf"))
    assert (watched.told / "synced").read_text().splitlines() == [*one, *other]
    assert not kept.exists()


def test_a_folder_that_has_gone_is_in_nobodys_way(host, build, tmp_path):
    """A panel's, removed after the move."""
    folder = tmp_path / "panel"
    folder.mkdir()
    (folder / "school.conf").write_text(OTHER)
    first, second = build(), build(str(folder / "school.conf"))
    for release in (first, second):
        assert host.activate(release.id).returncode == 0
    folder.rmdir()
    assert not state.read(host.says("state")).broken
    assert host.activate(second.id).returncode == 0
    done = host.activate(first.id, purpose="rollback")
    assert done.returncode == 0, done.stderr
    assert (folder / "school.conf").read_text() == OTHER


def test_at_no_moment_would_nginx_read_both_a_release_and_what_it_replaces(watched, build):
    """With a default_server in each, nginx would not come up after a power failure."""
    first, second = build(), build(*BOTH)
    for release in (second, first, second):
        assert watched.activate(release.id).returncode == 0
        assert _both(watched) == ""
    assert watched.run("withdraw", instead="reload_nginx() { :; }").returncode != 0
    assert _both(watched) == ""
    (watched.told / "deaf").touch()
    assert watched.run("activate", first.id, "rollback", str(watched.entry), instead=_SOON).returncode != 0
    assert _both(watched) == ""
    (watched.told / "deaf").unlink()
    assert watched.run("withdraw", instead=GIVES_UP).returncode == 0
    assert _both(watched) == ""
    (watched.told / "deaf").touch()
    assert watched.run("activate", second.id, "deploy", str(watched.entry), instead=_SOON).returncode != 0
    assert _both(watched) == ""


def test_after_a_rollback_from_the_first_release_there_is_none_to_go_back_to(host, build):
    release = build(*BOTH)
    for purpose, left in (("deploy", [release.id]), ("rollback", [])):
        assert host.activate(release.id).returncode == 0
        assert host.run("withdraw", purpose, instead=GIVES_UP).returncode == 0
        assert state.read(host.says("state")).history == tuple(left)
