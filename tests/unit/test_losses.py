"""What a deploy would take away from a host is named and refused, and each permission is for one thing alone."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from gateway import product
from gateway.deploys.drift import Observation, judged
from gateway.deploys.health import Health
from gateway.deploys.losses import OPTIONS, Losses, entries_with
from gateway.deploys.state import HostState
from gateway.fleet.host import Host
from gateway.fleet.parsing import parse_host
from gateway.nginx import release
from gateway.nginx.build import Build
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

from .conftest import PLATFORMS
from .test_fake_deploy import Run, _state_output

OLD = "0123456789abcdef"
ORIGIN = f"{'c' * 40} 2026-11-20T09:12:33+08:00 main clean wang@desk 2026-11-20T01:13:00Z"
LATER = datetime.now(UTC) + timedelta(days=300)


def _site(domain, edge="slb"):
    return {"domain": domain, "edge": edge, "platform": "wanxiao_prod"}


def _held(files, *sites):
    """What a host says of its release in force, made of these sites and the files that are there now."""
    host, problems = parse_host("one", {"platforms": PLATFORMS, "sites": list(sites)}, files)
    assert host, problems
    built = release.build(tree(host, Build(Version((1, 22, 1)))))
    lines = [f"source {line}" for line in built.files["sources"].body.decode().splitlines()]
    lines += [f"domain {site['domain']}" for site in sites]
    return "\n".join([*lines, f"origin {ORIGIN}"]) + "\n"


def _other_certificate(held):
    """The same, but for the certificate, which is another one."""
    digest = next(line for line in held.splitlines() if "fullchain" in line).split()[2]
    return held.replace(digest, "1" * 64)


def _ends(when):
    return {f"{OLD} ends": f"t.edu.cn {when:%b %d %H:%M:%S %Y} GMT\n"}


def _made_by(version):
    """The answer of a host whose release in force that version of the product made."""
    return {"apt-cache policy": _state_output(OLD, "0" * 64) + f"product {version}\n"}


@pytest.fixture
def deploy(files, monkeypatch, caplog):
    """deploy(sites, what the host says of its release in force, further answers): the run, or None where it failed."""
    caplog.set_level(logging.INFO, "pyinfra")

    def start(sites, held, answers=None, **more):
        # the same script reads all of a release; its last words say what
        responses = {f"{OLD} held": held, "apt-cache policy": _state_output(OLD, "0" * 64), **(answers or {})}
        caplog.clear()
        try:
            return Run(files, monkeypatch, sites, responses, more)
        except Exception as error:
            assert "No hosts remaining" in str(error)
            return None

    return start


def _said(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


def test_a_site_that_would_go_is_named(deploy, files, caplog):
    held = _held(files, _site("a.edu.cn"), _site("b.edu.cn"), _site("c.edu.cn"))
    assert deploy([_site("b.edu.cn")], held) is None
    told = next(text for text in _said(caplog) if "allow_site_removal=1" in text)
    assert "in force on this host: a.edu.cn, c.edu.cn;" in told
    assert "b.edu.cn" not in told


def test_a_host_without_any_site_by_mistake_is_refused(deploy, files, caplog):
    assert deploy([], _held(files, _site("a.edu.cn"))) is None
    assert "a.edu.cn" in " ".join(_said(caplog))


def test_it_is_refused_before_anything_is_installed(deploy, files, caplog):
    state = _state_output(OLD, "0" * 64) + "missing ca-certificates\n"
    assert deploy([], _held(files, _site("a.edu.cn")), {"apt-cache policy": state}) is None
    ran = [text for text in caplog.messages if "Starting operation" in text]
    assert "Examine the host" in ran[-1]


def test_it_is_said_while_preparing_already_so_that_a_dry_run_shows_it(deploy, files, caplog):
    assert deploy([], _held(files, _site("a.edu.cn"))) is None
    assert len([text for text in _said(caplog) if "allow_site_removal" in text]) == 2


@pytest.mark.parametrize("value", [0, 2, "yes", "no", "", None])
def test_only_1_allows(deploy, files, value):
    assert deploy([], _held(files, _site("a.edu.cn")), allow_site_removal=value) is None


def test_a_site_goes_when_it_is_allowed(deploy, files):
    held = _held(files, _site("a.edu.cn"), _site("b.edu.cn"))
    done = deploy([_site("b.edu.cn")], held, allow_site_removal=1)
    assert done.changed == ["Publish the release", "Activate the release"]


@pytest.fixture
def of_everything(files, store_pair):
    """A site, what a host says that it has, and what it answers: a site, a file, a certificate and what a newer product
    has made would be lost."""
    store_pair("t.edu.cn")
    path = files / "verify" / "t.edu.cn" / "WW_verify_AbCdEfGhIjKlMnOp.txt"
    path.parent.mkdir(parents=True)
    path.write_text("AbCdEfGhIjKlMnOp")
    site = _site("t.edu.cn", "tls")
    held = _other_certificate(_held(files, site)) + "domain s.edu.cn\n"
    path.unlink()
    return [site], held, {**_ends(LATER), **_made_by("99.1")}


def test_every_reason_is_named_at_once_on_a_line_of_its_own_and_where_it_came_from(deploy, of_everything, caplog):
    assert deploy(*of_everything) is None
    lines = _said(caplog)[:5]
    for text, option in zip(lines, (*OPTIONS, ""), strict=True):
        assert [one for one in OPTIONS if f"--data {one}=1" in text] == ([option] if option else [])
        assert "\n" not in text
    assert f"commit {'c' * 12} of 2026-11-20 (main) by wang@desk on 2026-11-20" in lines[4]


@pytest.mark.parametrize("option", OPTIONS)
def test_what_allows_one_thing_allows_no_other(deploy, of_everything, caplog, option):
    assert deploy(*of_everything, **{option: 1}) is None
    told = " ".join(_said(caplog))
    assert [one for one in OPTIONS if one in told] == [one for one in OPTIONS if one != option]


def test_all_of_it_goes_when_all_of_it_is_allowed(deploy, of_everything):
    assert deploy(*of_everything, **dict.fromkeys(OPTIONS, 1)).changed


def test_a_certificate_that_ends_earlier_is_told_with_both_dates(deploy, files, store_pair, caplog):
    store_pair("t.edu.cn", end=timedelta(days=60))
    site = _site("t.edu.cn", "tls")
    assert deploy([site], _other_certificate(_held(files, site)), _ends(LATER)) is None
    here = datetime.now(UTC) + timedelta(days=60)
    assert f"t.edu.cn ({LATER:%Y-%m-%d} in force, {here:%Y-%m-%d} in this checkout)" in " ".join(_said(caplog))


@pytest.mark.parametrize(
    "answer",
    [_ends(datetime.now(UTC) + timedelta(days=9)), *({f"{OLD} ends": text} for text in ("", "t.edu.cn \n", "x y\n"))],
)
def test_a_renewed_certificate_goes_out_and_so_does_one_for_one_that_nobody_can_read(deploy, files, store_pair, answer):
    store_pair("t.edu.cn", end=timedelta(days=60))
    site = _site("t.edu.cn", "tls")
    done = deploy([site], _other_certificate(_held(files, site)), answer)
    assert done.changed
    assert done.stdin[:2] == ["t.edu.cn\n"] * 2


def test_a_changed_host_is_asked_once_for_what_it_holds_and_for_no_certificate_that_stays(deploy, files, store_pair):
    store_pair("t.edu.cn")
    held = _held(files, _site("t.edu.cn", "tls"))
    done = deploy([{**_site("t.edu.cn", "tls"), "hsts": 7}], held)
    of_old = [command.rpartition(OLD)[2].strip() for command in done.commands if f"{OLD} " in command]
    # before, and once more while executing
    assert of_old == ["held", "held"]


def test_over_the_release_of_a_newer_product_nothing_is_deployed_and_both_are_named(deploy, files, caplog):
    site = _site("a.edu.cn")
    assert deploy([{**site, "hsts": 7}], _held(files, site), _made_by("99.1")) is None
    told = _said(caplog)[0]
    assert f"made by wecom-gateway 99.1, and this is the older {product.version()}, which" in told
    assert "bring this one to 99.1" in told
    assert told.endswith("or confirm with --data allow_older_version=1")
    assert "git" in _said(caplog)[1]


@pytest.mark.parametrize("version", ["", "0.1.0", "0.2.0rc1", product.version(), "of a branch of ours"])
def test_over_the_release_of_any_other_product_it_is(deploy, files, version):
    site = _site("a.edu.cn")
    assert deploy([{**site, "hsts": 7}], _held(files, site), _made_by(version)).changed


def test_it_is_when_that_is_allowed(deploy, files):
    site = _site("a.edu.cn")
    assert deploy([{**site, "hsts": 7}], _held(files, site), _made_by("99.1"), allow_older_version=1).changed


def test_what_an_older_product_would_not_change_is_no_reason(deploy, files):
    """The same release from an older one takes nothing back."""
    host, _ = parse_host("one", {"platforms": PLATFORMS, "sites": [_site("a.edu.cn")]}, files)
    built = release.build(tree(host, Build(Version((1, 22, 1)))))
    known = {"apt-cache policy": _state_output(built.id, built.digest()) + "product 99.1\n"}
    assert deploy([_site("a.edu.cn")], "", known).changed == []


def test_of_an_upgrade_versions_changelog_and_files_are_shown_before_anything_happens(deploy, files, caplog):
    site = _site("a.edu.cn")
    deploy([{**site, "hsts": 7}], _held(files, site), _made_by("0.1.0"))
    told = [text.partition("] ")[2] for text in caplog.messages]
    first = told.index(
        f"the release in force was made by wecom-gateway 0.1.0, this is {product.version()}; CHANGELOG.md says:"
    )
    shown = told[first : first + 12]
    assert any(text.startswith("  0.2.0: Hosts that are not bare") for text in shown)
    assert not any("0.1.0: " in text for text in shown)
    number = next(place for place, text in enumerate(shown) if text.startswith(f"release {OLD} -> "))
    assert shown[number].endswith("changed:")
    assert shown[number + 1].startswith("  ~ ")
    assert first < next(place for place, text in enumerate(caplog.messages) if "Starting operation" in text)
    assert len([text for text in told if "was made by wecom-gateway" in text]) == 1


def test_the_other_entry_that_has_the_site_is_named():
    entries = [("gw-b", [_site("a.edu.cn"), "no dict", {}]), ("gw-c", None), ("gw-d", [_site("z.edu.cn")])]
    gone = ("a.edu.cn", "b.edu.cn")
    found = Losses(gone, elsewhere=entries_with(gone, entries))
    (text,) = found.refusals(frozenset())
    assert "the entry of gw-b has a.edu.cn: deploy that host first" in text
    assert "gw-c" not in text
    assert "gw-d" not in text


def test_status_names_what_would_go_and_does_not_say_deploy():
    known = HostState(installed=Version((1, 22, 1)), current=OLD, running=OLD)
    seen = Observation(known, Health(), "f" * 16, refusals=("sites would go: a.edu.cn", "git pull first"))
    problem = judged(Host("gw", "gw", (), {}, {}), seen, {}, datetime.now(UTC)).problem
    assert problem == "a deploy would be refused: sites would go: a.edu.cn; git pull first"


def test_where_nothing_of_the_release_can_be_read_nobody_knows_what_would_go():
    (text,) = Losses(unread=OLD).refusals(frozenset())
    assert f"what release {OLD} serves cannot be read" in text
    assert Losses(unread=OLD).refusals({"allow_site_removal"}) == []
