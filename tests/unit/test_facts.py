"""What the scripts on a host print, read back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.deploys import held_release, state
from gateway.deploys.held_release import HeldRelease
from gateway.deploys.state import HostState
from gateway.nginx.release import Entry
from gateway.onhost.constants import ENTRIES

from .test_neighbours import dump

OUTPUT = """version nginx version: nginx/1.22.1
ipv6 no
current releases/bbbb
activated bbbb
entry:/etc/nginx/conf.d/wecom-gateway.conf yes
room yes
running bbbb
history aaaa bbbb cccc
unresolved paas.inner.example
""".splitlines()


ENTRY = "entry:/etc/nginx/conf.d/wecom-gateway.conf"


def _state(**changes: str | None) -> HostState:
    values = {
        key: text
        for key, text in (dict(line.partition(" ")[::2] for line in OUTPUT) | changes).items()
        if text is not None
    }
    return state.read([f"{key} {value}" for key, value in values.items()])


def test_a_host_in_order():
    known = _state()
    assert str(known.build.version) == "1.22.1"
    assert not known.build.ipv6
    assert known.in_force("bbbb")
    assert known.unresolved == ("paas.inner.example",)


def test_a_version_of_the_product_that_is_none_is_not_believed():
    assert _state(product="0.2.0").product == "0.2.0"
    assert _state().product == _state(product="\x1b[31m").product == _state(product="0.2.0 more").product == ""


@pytest.mark.parametrize(
    "change",
    [
        {"current": "releases/aaaa"},
        {"current": ""},
        {"activated": ""},
        {"running": "aaaa"},
        {"running": ""},
        {ENTRY: None},
        {"entry:/etc/nginx/sites-enabled/zzz-wecom-gateway.conf": "yes"},
        {ENTRY: None, "entry:/etc/nginx/conf.d/zzz-wecom-gateway.conf": "yes"},
        {"room": "no"},
    ],
)
def test_one_thing_amiss_and_the_release_is_not_in_force(change):
    assert not _state(**change).in_force("bbbb")


_CONF = {
    "/etc/nginx/nginx.conf": "user www-data; http { include conf.d/*.conf; include sites-enabled/*; }",
    "/etc/nginx/sites-enabled/theirs": "server { listen 80; }",
    **dict.fromkeys(ENTRIES, "# of a release\n"),
}
_USERS = {"groups": "root:root www-data:www-data", "shared": "root messagebus"}


def test_a_release_that_would_take_their_place_is_not_in_force():
    """Included where it always was, it would be the default of port 80."""
    assert not _state(dump=dump(_CONF)).in_force("bbbb")
    right = {ENTRY: None, "entry:/etc/nginx/sites-enabled/zzz-wecom-gateway.conf": "yes"}
    known = _state(dump=dump(_CONF), **right)
    assert known.in_force("bbbb")
    assert known.build.foreign_defaults == {"80"}


@pytest.mark.parametrize(
    ("users", "group"),
    [
        (_USERS, "www-data"),
        ({**_USERS, "groups": "www-data:web"}, "web"),
        ({**_USERS, "shared": "root www-data"}, None),
        ({**_USERS, "members:www-data": "deploy"}, None),
        ({**_USERS, "members:other": "deploy"}, "www-data"),
        ({**_USERS, "groups": "root:root"}, None),
    ],
)
def test_keys_are_for_the_group_of_nginx_only_where_nobody_else_is_in_it(users, group):
    assert _state(dump=dump(_CONF), **users).build.group == group


def test_a_damaged_dump_stops_a_deploy():
    assert "nginx -T" in _state(dump="").broken


@pytest.mark.parametrize(
    ("current", "history", "previous"),
    [
        ("bbbb", "aaaa bbbb cccc", "aaaa"),
        ("aaaa", "aaaa bbbb cccc", None),
        ("cccc", "aaaa bbbb cccc", "bbbb"),
        ("dddd", "aaaa bbbb", "bbbb"),
        ("", "aaaa", "aaaa"),
        ("", "", None),
    ],
)
def test_where_a_rollback_goes(current, history, previous):
    assert _state(current=f"releases/{current}" if current else "", history=history).previous == previous


def test_a_bare_host_is_rendered_for_what_apt_would_install():
    known = state.read(["candidate 1.26.3-3+deb13u1", "ipv6 yes", "current ", "running "])
    assert known.installed is None
    assert str(known.build.version) == "1.26.3"
    assert state.read(["candidate (none)"]).build is None


def test_silence_says_nothing():
    assert not HostState().is_readable
    assert state.read(["candidate (none)", "missing nginx ca-certificates", "ipv6 yes"]).is_readable


def test_files_with_odd_names_or_types_never_pass_for_ours():
    found = held_release.read_files(
        [
            "mode 644 a.conf",
            "mode 777-www-data-l link",
            "mode 600 certs/x y/privkey.pem",
            f"digest {'1' * 64}  a.conf",
            f"digest {'2' * 64}  certs/x y/privkey.pem",
        ]
    )
    assert found == {
        Entry("a.conf", "1" * 64, "644"),
        Entry("link", "", "777-www-data-l"),
        Entry("certs/x y/privkey.pem", "2" * 64, "600"),
    }
    held = held_release.read_held([f"source 644 {'3' * 64} a.conf", "source", ""])
    assert held.sources == {Entry("a.conf", "3" * 64, "644")}


def test_a_release_of_an_earlier_version_says_less():
    assert held_release.read_held([]) == HeldRelease()
    assert held_release.read_held(["domain a.edu.cn", "origin nonsense"]) == HeldRelease(
        domains=frozenset({"a.edu.cn"})
    )


def test_ends_that_nobody_can_read_are_left_out():
    found = held_release.read_ends(["a.edu.cn Nov 21 12:00:00 2027 GMT", "b.edu.cn ", "c.edu.cn soon", ""])
    assert found == {"a.edu.cn": datetime(2027, 11, 21, 12, tzinfo=UTC)}


@pytest.mark.parametrize("output", [[], [""], ["no base64!"], ["AAAA"], ["H4sIAAAAAAAAA"]])
def test_texts_that_did_not_arrive_are_no_texts(output):
    assert held_release.read_texts(output) == {}
