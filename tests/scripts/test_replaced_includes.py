"""Files whose place a release takes, by the ways in which nginx may include them."""

from __future__ import annotations

import pytest

from .test_replaced_files import OTHER, THEIRS, build, host

__all__ = ("build", "host")

# What nginx would read by the `include` of the given file below its main file's folder.
_READS = r"""
run_nginx() {
    local conf=${*: -1} pattern path
    for pattern in $(sed -n 's/^include \(.*\);/\1/p' "${conf%%/*}/%s"); do
        for path in $pattern; do [ ! -e "$path" ] || cat "$path" >>"$STAGE/read"; done
    done
    "$nginx_program" "$@"
}
"""


@pytest.mark.parametrize("name", ["conf.d/all.conf", "all.conf"])
def test_a_file_that_another_one_includes_is_left_out_of_the_test_as_well(host, build, tmp_path, name):
    """Of a folder of its own, and of one in that."""
    folders = tmp_path / "vhosts", tmp_path / "vhosts/more"
    for folder in folders:
        folder.mkdir()
        (folder / "school.conf").write_text(THEIRS)
        (folder / "other.conf").write_text(OTHER)
    (host.root / "etc/nginx" / name).write_text("".join(f"include {folder}/*.conf;\n" for folder in folders))
    release = build(*(str(folder / "school.conf") for folder in folders))
    done = host.run("activate", release.id, "deploy", str(host.entry), instead=_READS % name)
    assert done.returncode == 0, done.stderr
    assert (host.told / "read").read_text() == 2 * OTHER


def test_a_folder_has_its_own_name_only_where_a_path_begins(host, build, tmp_path):
    """A folder /nginx is not that of /etc/nginx, nor one that is /log that of /var/log."""
    short = "/" + str(tmp_path / "x").rpartition("/")[2]
    whole = f"include {tmp_path}{short}/*.conf;\n"
    (tmp_path / "x").mkdir()
    (tmp_path / "x/other.conf").write_text(OTHER)
    (host.root / "etc/nginx/all.conf").write_text(whole)
    release = build(f"{short}/school.conf")
    assert host.run("activate", release.id, "deploy", str(host.entry), instead=_READS % "all.conf").returncode == 0
    assert (host.told / "read").read_text() == OTHER


def test_a_file_that_nginx_reads_in_the_test_all_the_same_is_refused(host, build):
    path = host.root / "etc/nginx/conf.d/school.conf"
    reads = 'run_nginx() { echo "# configuration file /etc/nginx/conf.d/school.conf:"; "$nginx_program" "$@"; }'
    done = host.run("activate", build("conf.d/school.conf").id, "deploy", str(host.entry), instead=reads)
    assert done.returncode != 0
    assert f"a deploy cannot test nginx without {path}" in done.stderr
    assert path.read_text() == THEIRS


def test_a_file_that_an_include_names_by_itself_is_refused_with_what_to_write(host, build):
    path = host.root / "etc/nginx/conf.d/school.conf"
    (host.told / "says").write_text(f'nginx: [emerg] open() "{path}" failed (2: No such file or directory)\n')
    (host.told / "refuses").touch()
    done = host.activate(build("conf.d/school.conf").id)
    assert done.returncode != 0
    assert f"an include names {path} by itself" in done.stderr
    assert "school.con[f])" in done.stderr
    assert path.read_text() == THEIRS
