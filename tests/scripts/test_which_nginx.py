"""Which of the nginx on a host a gateway uses, and where that one has what."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway.onhost.constants import ENTRIES, NGINX

from .host_scripts import body, functions

SOURCE, PANEL = "/usr/local/nginx/sbin/nginx", "/www/server/nginx/sbin/nginx"
OWN, THEIRS = "nginx.service", "theirs.service"
_ANOTHER_USER: dict[str, Any] = {} if os.getuid() else {"user": 65534}


def _run(home: Path, commands: str) -> list[str]:
    before = functions("state", Path("/etc/nginx"), home).removesuffix(body("state"))
    # where tests run, process 1 may be nobody's to look at
    before = before.replace("/proc/1/ns/pid", "/proc/self/ns/pid")
    done = subprocess.run(
        ["bash", "-c", f"{before}\npackaged_nginx= manager=apt\n{commands}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _there(*found: tuple[str, int, str, str]) -> str:
    """What find_every_nginx would have found: program, process, unit, options."""
    titles = [f"nginx: master process {program} {options}" if pid else "" for program, pid, _, options in found]
    columns = {
        "programs": [one[0] for one in found],
        "pids": [str(one[1]) for one in found],
        "units": [one[2] for one in found],
        "commands": titles,
    }
    return "\n".join(f"{name}=({' '.join(map(shlex.quote, values))})" for name, values in columns.items())


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ([], None),
        ([(SOURCE, 7, OWN, "")], 0),
        # whatever else lies there
        ([(PANEL, 0, "", ""), (SOURCE, 7, "", "")], 1),
        # it could be any of them
        ([(SOURCE, 7, OWN, ""), (PANEL, 8, THEIRS, "")], None),
        ([(SOURCE, 0, "", ""), (PANEL, 0, "", "")], None),
        # one that does not run is told, and a deploy refuses it
        ([(SOURCE, 0, "", "")], 0),
        # the package's, where its unit runs it
        ([(SOURCE, 7, THEIRS, ""), (NGINX, 8, OWN, "")], 1),
        # not where it only lies there
        ([(SOURCE, 7, THEIRS, ""), (NGINX, 0, "", "")], 0),
        ([(NGINX, 0, "", ""), (SOURCE, 0, "", "")], 0),
        # an instance with a main file of its own is somebody else's
        ([(NGINX, 9, THEIRS, "-c /etc/nginx/other.conf"), (NGINX, 8, OWN, "")], 1),
    ],
)
def test_which_one_is_used(tmp_path, found, chosen):
    packaged = f"packaged_nginx={NGINX}" if any(one[0] == NGINX for one in found) else ""
    lines = _run(tmp_path, f'{packaged}\n{_there(*found)}\nchoose_nginx\necho "$in_use"')
    assert lines == ["" if chosen is None else str(chosen)]


@pytest.mark.parametrize(
    ("recorded", "found", "chosen"),
    [
        (f"{PANEL} ", [(SOURCE, 7, OWN, ""), (PANEL, 8, THEIRS, "")], 1),
        # it has the release, though the package's runs by now
        (f"{SOURCE} ", [(SOURCE, 0, "", ""), (NGINX, 8, OWN, "")], 0),
        # two of one program
        (f"{SOURCE} -c /data/b.conf", [(SOURCE, 7, OWN, "-c /data/a.conf"), (SOURCE, 8, THEIRS, "-c /data/b.conf")], 1),
        # it is gone
        ("/opt/gone/nginx ", [(SOURCE, 7, OWN, "")], 0),
    ],
)
def test_the_one_that_has_a_release_keeps_it(tmp_path, recorded, found, chosen):
    (tmp_path / "nginx").write_text(f"{recorded}\n")
    packaged = f"packaged_nginx={NGINX}" if any(one[0] == NGINX for one in found) else ""
    assert _run(tmp_path, f'{packaged}\n{_there(*found)}\nchoose_nginx\necho "$in_use"') == [str(chosen)]


def test_a_release_of_before_that_was_recorded_is_the_package_s(tmp_path):
    """nginx.service has failed, and a panel's nginx runs beside it: the sites do not move there."""
    (tmp_path / "current").symlink_to("releases/0123456789abcdef")
    there = _there((PANEL, 7, THEIRS, ""), (NGINX, 0, "", ""))
    assert _run(tmp_path, f'packaged_nginx={NGINX}\n{there}\nchoose_nginx\necho "$in_use"') == ["1"]


@pytest.mark.parametrize(
    ("options", "told"),
    [("", ""), ("-g daemon off;", ""), ("-c /a/b.conf", "-c /a/b.conf"), ("-p /x -g y -c/a", "-p /x -c /a")],
)
def test_which_options_count(tmp_path, options, told):
    lines = _run(tmp_path, f'read_options "nginx: master process {SOURCE} {options}"\necho "${{options[*]-}}"')
    assert lines == [told]


def _used(tmp_path: Path, arguments: str, options: str = "", conf: str = "") -> dict[str, str]:
    """The layout of an nginx that was built with these arguments, by its names; of systemd nothing is known."""
    program = tmp_path / "sbin/nginx"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\necho 'nginx version: nginx/1.22.1' >&2\necho 'configure arguments: {arguments}' >&2\n"
    )
    program.chmod(0o755)
    if conf:
        (tmp_path / "conf").mkdir(exist_ok=True)
        (tmp_path / "conf/nginx.conf").write_text(conf)
    there = _there((str(program), 7, "", options))
    lines = _run(tmp_path, f"systemctl() {{ return 1; }}\n{there}\nin_use=0 recorded=\nuse_nginx\nprint_layout")
    told = dict(line.partition(" ")[::2] for line in lines)
    return {key.removeprefix("layout:"): value.replace(str(tmp_path), "") for key, value in told.items()}


def test_an_nginx_from_source_has_everything_in_its_prefix(tmp_path):
    found = _used(tmp_path, f"--prefix={tmp_path} --with-http_ssl_module", conf="http {\n}\n")
    assert (found["main_file"], found["error_log"]) == ("/conf/nginx.conf", "/logs/error.log")
    assert (found["user"], found["unit"], found["entries"], found["options"]) == ("nobody", "", "", "")


def test_a_log_that_is_no_file_is_the_usual_one(tmp_path):
    """So says Debian's nginx, and a configuration that does not load names no other: the release stays the same."""
    assert _used(tmp_path, f"--prefix={tmp_path} --error-log-path=stderr")["error_log"] == "/var/log/nginx/error.log"


def test_without_an_argument_the_prefix_is_nginxs_own(tmp_path):
    assert _used(tmp_path, "--with-http_ssl_module")["main_file"] == "/usr/local/nginx/conf/nginx.conf"


def test_what_it_was_started_with_goes_before_what_it_was_built_with(tmp_path):
    found = _used(
        tmp_path, f"--prefix=/elsewhere --user=www --conf-path={tmp_path}/a.conf", f"-p {tmp_path} -c conf/b.conf"
    )
    assert (found["main_file"], found["user"]) == ("/conf/b.conf", "www")
    assert found["options"] == "-p  -c conf/b.conf"


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("include vhosts/*.conf;", "/conf/vhosts/zzz-wecom-gateway.conf"),
        ("include ROOT/sites/*;", "/sites/zzz-wecom-gateway.conf"),
        ("server { listen 80; } include vhosts/*.conf; # more", "/conf/vhosts/zzz-wecom-gateway.conf"),
        # nothing that a link could be put into
        ("include vhosts/a.conf;", ""),
        ("include vhosts/*.vhost;", ""),
        ("include *.conf;", ""),
        ("include nowhere/*.conf;", ""),
        ("# include vhosts/*.conf;", ""),
    ],
)
def test_a_release_is_included_from_folders_that_http_includes(tmp_path, line, entry):
    (tmp_path / "conf/vhosts").mkdir(parents=True)
    (tmp_path / "sites").mkdir()
    conf = f"include modules/*.conf;\nhttp {{\n    {line.replace('ROOT', str(tmp_path))}\n}}\n"
    assert _used(tmp_path, f"--prefix={tmp_path}", conf=conf)["entries"] == entry


def test_the_folder_that_a_refusal_names_can_have_the_link(tmp_path):
    """Where another file has the http block, an operator is told to have it include conf.d."""
    (tmp_path / "conf/conf.d").mkdir(parents=True)
    own = _used(tmp_path, f"--prefix={tmp_path}", conf="include http.conf;\n")
    assert own["entries"] == "/conf/conf.d/zzz-wecom-gateway.conf"


def test_debian_s_has_what_it_always_had(tmp_path):
    """Its own folders and no further ones; releases keep their names."""
    lines = _run(tmp_path, 'printf "%s\\n" "${entries[@]}" "$main_file" "$nginx_unit"')
    assert lines == [*ENTRIES, "/etc/nginx/nginx.conf", OWN]


def test_a_program_that_another_user_calls_nginx_is_never_run(tmp_path):
    """A deploy asks every nginx for its version, as root."""
    title = "nginx: master process /usr/sbin/nginx"
    with subprocess.Popen([title, "60"], executable="/bin/sleep", **_ANOTHER_USER) as process:
        try:
            lines = _run(tmp_path, 'find_every_nginx\nprintf "%s\\n" "${pids[@]}"')
        finally:
            process.kill()
    assert str(process.pid) not in lines


def test_the_unit_is_found_of_an_nginx_that_was_started_again_by_hand(tmp_path):
    """It runs in the session of whoever did that, and there is no script in init.d."""
    there = _there((SOURCE, 7, "session-1.scope", ""))
    unit = f'[ "$*" != "cat nginx.service" ] || echo ExecStart={SOURCE}'
    assert _run(tmp_path, f"systemctl() {{ {unit}; }}\n{there}\nin_use=0 nginx_program={SOURCE}\nunit_to_use") == [OWN]


def test_the_program_that_make_install_moved_aside_is_known_by_its_name(tmp_path):
    """nginx's `make install` renames the program to nginx.old, and the new one runs after the next start only."""
    (tmp_path / "nginx").touch()
    assert (
        _run(tmp_path, f"program_at {tmp_path}/nginx.old\nprogram_at '{tmp_path}/nginx (deleted)'")
        == [f"{tmp_path}/nginx"] * 2
    )
    assert _run(tmp_path, f"program_at {tmp_path}/other.old") == [f"{tmp_path}/other.old"]


def test_the_unit_of_a_program_that_it_names_by_a_link_is_found(tmp_path):
    """nginx was started by hand, and the unit starts sbin/nginx, which leads to the build of some version."""
    (tmp_path / "nginx-1.22").touch()
    (tmp_path / "nginx").symlink_to("nginx-1.22")
    program = f"{tmp_path}/nginx-1.22"
    says = f"echo 'ExecStart={{ path={tmp_path}/nginx ; argv[]={tmp_path}/nginx ; }}'"
    there = _there((program, 7, "", ""))
    unit = f'[ "$*" != "show -p ExecStart {OWN}" ] || {says}'
    assert _run(tmp_path, f"systemctl() {{ {unit}; }}\n{there}\nin_use=0 nginx_program={program}\nunit_to_use") == [OWN]
