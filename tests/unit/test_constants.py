"""What Python and the scripts on a host share is written once, and reaches bash as it is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from gateway import product
from gateway.onhost import constants, scripts

FOLDER = Path(scripts.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.sh"))
# Scripts of their own: the others only stand before them.
COMMANDS = sorted({*NAMES} - {part for parts in scripts.PARTS.values() for part in parts} - {"common"})


def _literals() -> list[str]:
    # names of packages are words like others
    values = [value for name, value in constants.FOR_SCRIPTS.items() if not name.endswith("_packages")]
    return [str(one) for value in values for one in (value if isinstance(value, tuple) else (value,))]


@pytest.mark.parametrize("name", NAMES)
def test_no_script_names_a_shared_value_again(name):
    text = (FOLDER / f"{name}.sh").read_text()
    again = [one for one in _literals() if re.search(rf"(?<![\w.]){re.escape(one)}(?!\w)", text)]
    assert not again


ODD = {
    "plain": "/etc/nginx",
    "number": 19001,
    "several": ("a b", "c'd", "", "*"),
    "odd": 'it\'s $HOME `id` "x"\\ \n;&|<>()#!{}[]~?',
    "nothing": "",
}


def test_bash_has_the_values_that_python_has():
    shown = "\n".join(f'printf "%s\\0" "${{{name}[@]}}"' for name in ODD)
    done = subprocess.run(
        ["bash", "-euc", scripts.prelude(ODD) + shown], capture_output=True, text=True, check=True, timeout=10
    )
    values = [value if isinstance(value, tuple) else (str(value),) for value in ODD.values()]
    assert done.stdout == "".join(f"{one}\0" for value in values for one in value)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_script_gets_the_constants_that_it_uses_and_no_other(name):
    text = scripts.text(name)
    before, start, after = text.partition("# Stands before every other script")
    assert start
    given = {line.partition("=")[0] for line in before.splitlines()}
    assert given <= constants.FOR_SCRIPTS.keys()
    code = "\n".join(line for line in after.splitlines() if not line.lstrip().startswith("#"))
    used = {one for one in constants.FOR_SCRIPTS if re.search(rf"\$\{{?{one}\b|\(\({one}\b", code)}
    assert given == used
    assert subprocess.run(["bash", "-nc", text], capture_output=True, check=False, timeout=10).stderr == b""


@pytest.mark.parametrize(
    ("kind", "name"), [*(("systemd", name) for name in product.templates("systemd")), ("dpkg", "wecom-gateway")]
)
def test_what_systemd_and_dpkg_read_names_the_gateway_s_folder(kind, name):
    path = product.template(kind, name)
    named = re.findall(r"(?<=[ =])/[^\s;]*wecom-gateway/[^\s;]*", path.read_text())
    for one in named:
        of_release = re.escape(f"{constants.HOME}/current/") + r"(\w+\.(sh|pl)|orders)"
        assert one == constants.ERROR_SOCKET or re.fullmatch(of_release, one)
    assert named or path.suffix == ".timer"


def test_the_unit_that_renews_is_there():
    assert constants.RENEWAL_UNIT in product.templates("systemd")


def test_sites_and_egress_log_where_the_scripts_make_the_files():
    served, egress = (
        product.template("nginx", name).read_text() for name in ("snippets/server.conf.j2", "egress.conf.j2")
    )
    assert f"access_log {constants.ACCESS_LOG} " in served
    assert f"access_log {constants.EGRESS_LOG} " in egress


def test_nginx_and_the_units_mean_the_same_socket_and_the_same_log():
    served = product.template("nginx", "snippets/server.conf.j2").read_text()
    assert f"error_log syslog:server=unix:{constants.ERROR_SOCKET}," in served
    service, hears = (
        product.template("systemd", name).read_text()
        for name in (constants.ERROR_UNIT, constants.ERROR_UNIT.replace(".service", ".socket"))
    )
    assert f"ListenDatagram={constants.ERROR_SOCKET}\n" in hears
    assert f"/errors.pl {constants.ERROR_LOG}\n" in service
    assert f"ReadWritePaths={constants.LOG_FOLDER}\n" in service
