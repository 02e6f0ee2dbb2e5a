"""Hosts that serve others and take a gateway beside them: every answer, socket and file of theirs stays.

Judged after the first deploy, a second one, a release that nginx refuses, a rollback, a reboot, and the removal of the
last site.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest

from lab import client, topology

from . import judge, not_bare
from .checkout import SLB, TLS, Checkout
from .judge import Snapshot
from .not_bare import Kind, Run

_BOTH = tuple(
    f"{scheme}://{name}/" for scheme in ("http", "https") for name in ("theirs.example", "OWN", "unknown.example")
)
_PLAIN = ("http://theirs.example/", "http://OWN/", "http://unknown.example/")
SECOND = {**SLB, "domain": "second.edu.example"}

KINDS = [
    Kind("implicit-sites", _BOTH),
    Kind("implicit-before", _BOTH),
    Kind("implicit-after", _BOTH),
    Kind("default-tls12", _BOTH, ("443", "1.3")),
    Kind("hard-to-read", (*_BOTH, "http://theirs.example/x", "http://OWN:9001/", "tcp://OWN:9100")),
    Kind("nginx-org", ("http://OWN/", "http://localhost/", "http://unknown.example/")),
    Kind("conf-d-by-another-file", _BOTH),
    Kind("sites-only", _BOTH),
    Kind("includes-nothing", _BOTH),
    Kind("source", _PLAIN),
    Kind("source-1.18", _BOTH),
    Kind("source-rc-local", _PLAIN, ("no unit of systemd starts /usr/local/nginx/sbin/nginx",)),
    Kind("panel", (*_PLAIN, "http://phpmyadmin:888/")),
    Kind("openresty", _PLAIN),
    Kind("disabled", (), ("enable",)),
    Kind("apache-8080", ("http://OWN:8080/",)),
]
# What the gateway is asked for, and what is nobody's: nginx itself, on the host where it is disabled.
_MAY_CHANGE = {"disabled": r"nginx\.service|/etc/nginx/sites-enabled/default|/etc/rc.\.d/...nginx"}
_SECONDS = 25

kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@dataclass
class Story:
    """What happened to one host, moment by moment."""

    before: Snapshot
    runs: dict[str, Run] = field(default_factory=dict)
    later: dict[str, Snapshot] = field(default_factory=dict)
    ours: dict[str, list[str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def stories(request, tmp_path_factory) -> dict[str, Story]:
    found = {}
    for number, there in enumerate(not_bare.in_batches(not_bare.selected(request, KINDS))):
        checkout = Checkout.make(tmp_path_factory.mktemp(f"served{number}"), next(iter(there)))
        checkout.certificate(TLS["domain"])
        before = not_bare.look(there)
        batch = {name: Story(snapshot) for name, snapshot in before.items()}

        def note(moment: str, run: Run | None, snapshots: dict[str, Snapshot], there=there, batch=batch) -> None:
            ours = not_bare.each(there, lambda host, _: _ours(host))
            for name, story in batch.items():
                story.later[moment], story.ours[moment] = snapshots[name], ours[name]
                if run is not None:
                    story.runs[moment] = run

        note("deploy", not_bare.deploy(checkout, there, SLB, TLS), not_bare.look(there))
        note("second deploy", not_bare.deploy(checkout, there, SLB, TLS, SECOND), not_bare.look(there))
        template = checkout.path / "templates" / "nginx" / "site-slb.conf.j2"
        good = template.read_text()
        template.write_text(good + "nonsense on;\n")
        note("refused", not_bare.deploy(checkout, there, SLB, TLS, SECOND), not_bare.look(there))
        template.write_text(good)
        note("rollback", not_bare.deploy(checkout, there, SLB, TLS, run="rollback.py"), not_bare.look(there))
        note("reboot", None, not_bare.look_after_reboot(there, not_bare.look(there)))
        checkout.write_hosts({name: [SLB, TLS] for name in there})
        checkout.accept()
        removal = ("--data", "allow_site_removal=1")
        note("removal", not_bare.deploy(checkout, there, options=removal), not_bare.look(there))
        found |= batch
    return found


def _ours(host: str) -> list[str]:
    """The sites of the gateway's that answer with what the platform says."""
    urls = (f"http://{SLB['domain']}/x", f"http://{SLB['domain']}:9001/x", f"https://{TLS['domain']}/o/itsm/weixin/x")
    return [url for url in (*urls, f"http://{SECOND['domain']}/x") if _arrives(host, url)]


def _arrives(host: str, url: str) -> bool:
    try:
        answer = client.request(url, connect=topology.address(host), timeout=5)
    except OSError:
        return False
    return answer.header("X-Lab-Arrived") is not None


@kinds
@pytest.mark.parametrize("moment", ["deploy", "second deploy", "refused", "rollback", "reboot"])
def test_others_lose_nothing_and_ours_answers(stories, kind, moment):
    story = stories[kind.name]
    run = story.runs.get(moment)
    if run is not None:
        said = run.said[kind.name]
        assert (kind.name in run.failed) == (moment == "refused"), said
        assert "Traceback" not in said
    lost = judge.losses(story.before, story.later[moment], _MAY_CHANGE.get(kind.name, ""))
    assert lost == ""
    assert len(story.ours[moment]) == (4 if moment in ("second deploy", "refused") else 3), story.ours[moment]


@kinds
def test_nothing_of_the_gateway_is_left_in_nginx_when_its_last_site_is_gone(stories, kind):
    story = stories[kind.name]
    assert kind.name not in story.runs["removal"].failed
    before, after = story.before, story.later["removal"]
    may_change = _MAY_CHANGE.get(kind.name, "")
    differ = {path for path in before.files if after.files.get(path) != before.files[path]}
    assert {path for path in differ if not re.fullmatch(may_change, path)} == set()
    assert after.answers == before.answers
    assert story.ours["removal"] == []
    assert not [name for name in after.units if name.startswith("wecom-gateway")]
    left = {path for path in after.files.keys() - before.files.keys() if "wecom-gateway" in path}
    assert {path for path in left if not path.startswith("/etc/nginx/wecom-gateway/")} == set()


@kinds
def test_a_release_that_nginx_refuses_is_refused_with_its_words(stories, kind):
    assert 'unknown directive "nonsense"' in stories[kind.name].runs["refused"].said[kind.name]


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.name == "conf-d-by-another-file"], ids=lambda kind: kind.name
)
def test_what_is_included_by_way_of_another_file_is_tested_before_it_is_switched_on(stories, kind):
    """Else nginx's reload fails, and the deploy waits half a minute for a release that never comes."""
    assert stories[kind.name].runs["refused"].seconds < _SECONDS


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.words], ids=lambda kind: kind.name)
def test_what_the_operator_has_to_know_is_said(stories, kind):
    said = stories[kind.name].runs["deploy"].said[kind.name]
    for word in kind.words:
        assert re.search(rf"wecom-gateway: .*{re.escape(word)}", said), said
