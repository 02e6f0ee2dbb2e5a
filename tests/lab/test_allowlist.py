"""BlueKing: no request may reach the platform with a path that it could read as outside the prefixes."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from urllib.parse import unquote_to_bytes

import pytest

from lab import client, demo, topology

PREFIXES = ("/o/itsm/weixin/", "/o/itsm/static/weixin/", "/t/itsm/weixin/", "/t/itsm/static/weixin/")

DOTS = (
    "..",
    "%2e%2e",
    ".%2e",
    "%252e%252e",
    "%25252e%25252e",
    "..;",
    "..;a=b",
    "%2e%2e;",
    "%c0%ae%c0%ae",
    "%e0%80%ae",
    "%ef%bc%8e%ef%bc%8e",
    "%e2%80%a5",
    "..%00",
    "...",
)
SLASHES = ("/", "%2f", "%252f", "\\", "%5c", "%255c", "//", "/./", "%c0%af", "%ef%bc%8f", "%e2%88%95", "%2f/")

HOSTILE = sorted(
    {f"/o/itsm/weixin/{dots}{slash}admin/" for dots, slash in product(DOTS, SLASHES)}
    | {f"/o/itsm/weixin{slash}{dots}{slash}admin/" for dots, slash in product(DOTS, SLASHES)}
    | {f"/o/itsm/weixin/{dots}" for dots in DOTS}
    | {f"/admin{slash}{dots}{slash}o/itsm/weixin/" for slash, dots in product(SLASHES, DOTS)}
    | {f"/o/other{slash}{dots}/itsm/weixin/" for slash, dots in product(SLASHES, DOTS)}
    | {
        "/",
        "/admin/",
        "/o/",
        "/o/itsm/",
        "/o/itsm/weixin",
        "/o/itsm/weixinX/",
        "/o/itsm/weixin;/",
        "/o/ITSM/weixin/",
        "/o/other/weixin/",
        "/p/itsm/weixin/",
        "//o/itsm/weixin/../../",
        "/o/itsm/weixin/;/../admin",
        "/o/itsm/weixin/..;/admin",
        "/o/itsm/weixin/a%00/../../admin",
        "/o/itsm/weixin/%0d%0aX-Injected:%201",
        "/o/itsm/weixin/%3f/../../../admin",
        "/o/itsm/weixin/%23/../../../admin",
    }
)


def _readings(path: bytes) -> set[str]:
    """Every path that an upstream could take it for: decoded up to three times, parameters, backslashes."""
    found = set()
    for _ in range(4):
        for parameters, backslash in product((True, False), repeat=2):
            text = path.decode("latin-1")
            text = re.sub(r";[^/\\]*", "", text) if parameters else text
            text = text.replace("\\", "/") if backslash else text
            text = text.split("\0")[0]
            found.add(_resolved(text))
        path = unquote_to_bytes(path.replace(b"\xc0\xae", b".").replace(b"\xc0\xaf", b"/"))
    return found


def _resolved(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/")[1:]:
        if part == "..":
            parts[-1:] = []
        elif part not in (".", ""):
            parts.append(part)
    return "/" + "/".join(parts) + ("/" if path.endswith(("/", "/.", "/..")) and parts else "")


def _inside(path: str) -> bool:
    return any(path.startswith(prefix) or path + "/" == prefix for prefix in PREFIXES)


def test_the_judge_itself_sees_what_is_outside():
    """Guards the test below against a judge that lets everything pass."""
    for path in (
        b"/o/itsm/weixin/../../../admin",
        b"/o/itsm/weixin/%252e%252e/%252e%252e/x",
        b"/o/itsm/weixin/..;/..;/..;/x",
    ):
        assert not all(_inside(reading) for reading in _readings(path)), path
    assert all(_inside(reading) for reading in _readings(b"/o/itsm/weixin/a/b.js"))


def test_nothing_readable_as_outside_reaches_the_platform(edge):
    domain, address = f"itsm.{edge}.demo.example", topology.address(demo.PUBLIC[edge])

    def send(target):
        try:
            return target, client.request(f"https://{domain}/", connect=address, raw_target=target)
        except client.ConnectionClosed:
            return target, None

    with ThreadPoolExecutor(8) as pool:
        answers = [(target, answer) for target, answer in pool.map(send, HOSTILE) if answer]
    arrived = 0
    for target, answer in answers:
        if answer.header("X-Lab-Arrived") is None:
            assert answer.status in (301, 400, 404), (target, answer.status)
            continue
        arrived += 1
        path = answer.json()["target"].partition("?")[0].encode("latin-1")
        for reading in _readings(path):
            assert _inside(reading), f"{target} arrived as {path!r}, readable as {reading}"
    # The allow-list lets its own through, or the test would prove nothing.
    assert client.request(f"https://{domain}/o/itsm/weixin/ok", connect=address).status == 200
    assert arrived < len(HOSTILE) / 2


@pytest.mark.parametrize(
    "target",
    [
        "/o/itsm/weixin/a.js?next=%252e%252e%2f..;\\",
        "/o/itsm/weixin/%E4%B8%AD%20%E6%96%87.js",
        "/t/itsm/static/weixin/~a_b-c,d+e=f@g:h!.css",
    ],
)
def test_ordinary_paths_and_any_query_pass(ask, target):
    assert ask("itsm", target).status == 200


def test_an_absolute_form_target_is_judged_like_any_other(edge):
    domain, address = f"itsm.{edge}.demo.example", topology.address(demo.PUBLIC[edge])
    for target in (f"http://{domain}/admin/", "http://paas.inner.example/admin/"):
        try:
            answer = client.request(f"https://{domain}/", connect=address, raw_target=target)
        except client.ConnectionClosed:
            continue
        assert answer.header("X-Lab-Arrived") is None
