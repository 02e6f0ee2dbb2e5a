"""A site's own nginx directives on a real host: in force with the release, refused and undone with it."""

from __future__ import annotations

import pytest

from lab import topology

from . import checkout as own
from .checkout import SLB, TLS
from .load import Load

HOST = "t01"
MINE, OTHERS = "mine.edu.example", "others.edu.example"
TEXT = "add_header X-Own first;\nlocation /robots.txt {\n    default_type text/plain;\n    return 200 'mine';\n}\n"


def _ask(domain: str, path: str):
    return own.ask(HOST, f"http://{domain}{path}")


@pytest.fixture
def served(packaged_host, checkout):
    """Two sites that would share a server, and one at edge tls. The first and the last have directives."""
    checkout.write_sites({**SLB, "domain": MINE}, {**SLB, "domain": OTHERS}, TLS)
    checkout.certificate(TLS["domain"])
    _write(checkout, MINE, TEXT)
    _write(checkout, TLS["domain"], "add_header X-Own tls;\n")
    checkout.deploy_well()
    return checkout


def _write(checkout, domain: str, text: str) -> None:
    folder = checkout.path / "files" / "nginx"
    folder.mkdir(exist_ok=True)
    (folder / f"{domain}.conf").write_text(text)


def test_they_are_in_force_for_their_site_shown_refused_and_undone(served):
    answer = _ask(MINE, "/robots.txt")
    assert (answer.body, answer.header("X-Own")) == (b"mine", "first")
    assert _ask(MINE, ":9001/x").header("X-Own") == "first"
    assert _ask(MINE, "/x").header("X-Lab-Arrived") == "https://hub.17wanxiao.com/x"
    assert _ask(OTHERS, "/robots.txt").header("X-Lab-Arrived") == "https://hub.17wanxiao.com/robots.txt"
    assert _ask(OTHERS, "/x").header("X-Own") is None
    assert own.ask(HOST, f"https://{TLS['domain']}/o/itsm/weixin/").header("X-Own") == "tls"
    assert own.ask(HOST, f"http://{TLS['domain']}/").header("X-Own") is None

    # what `check` cannot know is nginx's to refuse, while everybody is answered
    _write(served, MINE, f"{TEXT}no_such_directive on;\n")
    address = topology.address(HOST)
    with Load(f"http://{MINE}/robots.txt", address), Load(f"http://{OTHERS}/x", address):
        done = served.deploy()
    assert done.returncode == 1
    assert "nginx refuses the new release; the old one goes on" in done.stderr
    assert f'unknown directive "no_such_directive" in files/nginx/{MINE}.conf:6' in done.stderr
    assert _ask(MINE, "/robots.txt").body == b"mine"

    # and what it does know stops the deploy before
    _write(served, MINE, f"{TEXT}}}\n")
    done = served.deploy()
    assert done.returncode == 1
    assert f'files/nginx/{MINE}.conf:6: unexpected "}}"' in done.stderr
    assert "no host was contacted" in done.stderr

    _write(served, MINE, TEXT.replace("first", "second"))
    output = served.deploy_well("--diff")
    assert f"~ files/nginx/{MINE}.conf" in output
    assert "-add_header X-Own first;" in output
    assert "+add_header X-Own second;" in output
    assert _ask(MINE, "/x").header("X-Own") == "second"

    assert served.roll_back().returncode == 0
    assert _ask(MINE, "/x").header("X-Own") == "first"
    (served.path / "files" / "nginx" / f"{MINE}.conf").unlink()
    output = served.deploy_well("--diff")
    assert f"- files/nginx/{MINE}.conf" in output
    assert _ask(MINE, "/x").header("X-Own") is None
    assert own.on_host(HOST, f"ls {own.HOME}/current/files/nginx").split() == [f"{TLS['domain']}.conf"]
