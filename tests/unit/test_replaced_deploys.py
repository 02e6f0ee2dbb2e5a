"""Deploys and rollbacks that move files of the host's own nginx, on a host that is none."""

from __future__ import annotations

import base64
import io
import logging
import tarfile

import pytest

from gateway.deploys import operations
from gateway.fleet.parsing import parse_host
from gateway.nginx import release
from gateway.nginx.build import Build
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree
from gateway.onhost.constants import ENTRIES

from .conftest import PLATFORMS
from .test_fake_deploy import _sites, _state_output, run
from .test_neighbours import MARK, dump

__all__ = ("run",)

SCHOOL = "/etc/nginx/sites-enabled/school"


@pytest.mark.parametrize(
    ("told", "withdraws"),
    [(f"aside:{SCHOOL} away\nreplaces:{SCHOOL} away\n", True), (f"aside:{SCHOOL} there\n", False)],
)
def test_a_rollback_from_a_first_release_that_replaced_files_is_to_what_was_there_before(run, told, withdraws):
    """One that replaced none is all that there is, whatever earlier ones have left."""

    def roll_back():
        operations.roll_back(name="Roll back")

    state = _state_output("a" * 16) + f"history {'a' * 16}\n" + told
    done = run(_sites(1), {"state": state, f"{'a' * 16} held": ""}, stops=not withdraws, does=roll_back)
    assert [command.endswith("wecom-gateway rollback") for command in done.scripts("withdraw")] == [True] * withdraws


@pytest.mark.parametrize(
    ("named", "says"), [(SCHOOL, f"put aside: {SCHOOL}"), ("", "put back: /etc/nginx/conf.d/old.conf")]
)
def test_a_rollback_says_which_files_move(run, caplog, named, says):
    def roll_back():
        operations.roll_back(name="Roll back")

    caplog.set_level(logging.INFO, "pyinfra")
    past = f"history {'a' * 16} {'b' * 16}\n"
    # one file is aside for the release in force, and goes on to be
    aside = "" if named else "aside:/etc/nginx/conf.d/old.conf away\n"
    texts = io.BytesIO()
    with tarfile.open(fileobj=texts, mode="w:gz") as archive:
        entry = tarfile.TarInfo("replaces")
        entry.size = len(named)
        archive.addfile(entry, io.BytesIO(named.encode()))
    held = {
        f"{'b' * 16} held": "source 644 x gateway.conf\n",
        f"{'a' * 16} held": "source 644 x gateway.conf\n" + ("source 644 y replaces\n" if named else ""),
        f"{'a' * 16} texts": base64.b64encode(texts.getvalue()).decode(),
    }
    run(_sites(1), {"state": _state_output("b" * 16) + past + aside, **held}, does=roll_back)
    assert says in "\n".join(record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(("names", "goes_on"), [("s0.edu.cn", True), ("s0.edu.cn new.example", False)])
def test_a_file_that_is_there_again_goes_only_where_all_of_its_names_have_a_site(run, files, names, goes_on):
    """Somebody may have written a site of their own into it."""
    parsed, _ = parse_host("one", {"platforms": PLATFORMS, "sites": _sites(1), "replaces": [SCHOOL]}, files)
    built = release.build(tree(parsed, Build(Version((1, 22, 1)))))
    dumped = dump(
        {
            "/etc/nginx/nginx.conf": "http { include conf.d/*.conf; include sites-enabled/*; }",
            ENTRIES[0]: MARK,
            SCHOOL: f"server {{ listen 80; server_name {names}; }}",
        }
    )
    state = f"{_state_output(built.id, built.digest())}replaces:{SCHOOL} there\ndump {dumped}\n"
    done = run(_sites(1), {"state": state}, stops=not goes_on, replaces=[SCHOOL])
    assert bool(done.scripts("activate")) == goes_on
