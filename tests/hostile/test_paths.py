"""Whatever a path is made of: nothing that an upstream could read as unpublished gets there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import strategies as st

from lab.wire import Door, Wire, arrived

from .edges import INSIDE, MONITOR, PREFIXES, SITES, Edge, request
from .explore import CASES, explore
from .h2 import Http2, head
from .readings import judged, outside, readings, wrong_arrival
from .targets import spellings, targets

# One of each kind, among them all that ever got through.
WAYS_OUT = (
    b"/admin/",
    b"//o/itsm/weixin/",
    b"/o/itsm/weixin/../../../admin",
    b"/o/itsm/weixin/%2e%2e/%2e%2e/x",
    b"/o/itsm/weixin/%252e%252e/x",
    b"/o/itsm/weixin/%25252e%25252e%25252fx",
    b"/o/itsm/weixin/..;/x",
    b"/o/itsm/weixin/.;a=b./;/../x",
    b"/o/itsm/weixin/..%5cx",
    b"/o/itsm/weixin/..\\x",
    b"/o/itsm/weixin/%c0%ae%c0%ae/x",
    b"/o/itsm/weixin/%e0%80%ae./x",
    b"/o/itsm/weixin/.%f0%80%80%ae%c0%afx",
    b"/o/itsm/weixin/%25c0%25ae./x",
    b"/o/itsm/weixin/%ef%bc%8e%ef%bc%8e/x",
    b"/o/itsm/weixin/%e2%80%a5/x",
    b"/o/itsm/weixin/%ef%b8%b0/x",
    b"/o/itsm/weixin/..%cd%be/x",
    b"/o/itsm/weixin/..%ef%bc%8fx",
    b"/o/itsm/weixin/..%00/x",
    b"/o/itsm/weixin/..%00",
    b"/o/itsm/weixin/a//../../../x",
    b"/o/itsm/weixin/a%0d%0aX-Forwarded-For:%206.6.6.6",
    b"/o/itsm/weixin/%3f/../../../x",
    b"/o/itsm%2fweixin/../x",
    b"/o/itsm/weixin/%ef%b8%b0/%ef%b8%b0/x",
    b"/o/itsm/weixin/..%ef%b8%94/x",
    b"/o/itsm/weixin/%ef%b9%92.;/x",
    b"/o/itsm/weixin/..%3f",
    b"/o/itsm/weixin/..%23x",
    b"/o/itsm/weixin/..%ef%bc%9fx",
)
# What may be written for a public path that is another one upstream; the rest is made from those above.
WAYS_OUT_OF_MONITOR = (
    b"/bkmonitor/../admin",
    b"/bkmonitor/static/../../admin",
    b"/bkmonitor/..%2fadmin",
    b"/bkmonitor/static/..%2f..%2fadmin",
    b"/bkmonitor../admin",
    b"/bkmonitor..%2fadmin",
    b"/bkmonitor/static../admin",
    b"/bkmonitorx/admin",
    b"/bkmonitor%2f..%2fadmin",
    b"/bkmonitor;/../admin",
    b"/o/bk_monitorv3/weixin/x",
    b"/o/bk_monitorv3/",
    b"//bkmonitor/..//../admin",
    b"/bkmonitor/static",
    b"/bkmonitor",
    *(
        path.replace(b"/o/itsm/weixin", b"/bkmonitor").replace(b"/o/itsm%2fweixin", b"/bkmonitor%2f")
        for path in WAYS_OUT
    ),
    *(path.replace(b"/o/itsm/weixin", b"/bkmonitor/static") for path in WAYS_OUT if b"/o/itsm/weixin/" in path),
)
_METHODS = (*["GET"] * 8, "POST", "OPTIONS", "CONNECT", "PROPFIND")


@pytest.mark.parametrize("path", WAYS_OUT)
def test_the_judge_sees_what_is_outside(path):
    """Guards the tests below against a judge that lets everything pass."""
    assert outside(path) is not None
    seen = {"platform": "paas.inner.example", "target": path.decode("latin-1"), "headers": [["Host", "x"]]}
    assert wrong_arrival(seen)
    assert wrong_arrival({**seen, "headers": [["Host", "paas.inner.example"]]})


def test_the_judge_knows_an_upstream_without_a_name():
    """By plain http and by address there is no name to judge by: where a request has arrived says whose it is."""
    inside = {
        "platform": None,
        "node": "node-b",
        "port": 8080,
        "target": "/o/bk_monitorv3/weixin/x",
        "headers": [["Host", MONITOR]],
    }
    assert wrong_arrival(inside) is None
    for target in ("/o/bk_monitorv3/x", "/o/bk_monitorv3/weixin/..%2fx", "/o/itsm/weixin/x", "/bkmonitor/x"):
        assert wrong_arrival({**inside, "target": target}), target
    assert wrong_arrival({**inside, "headers": [["Host", "paas.inner.example"]]})
    assert wrong_arrival({**inside, "node": "platform"})
    assert wrong_arrival({**inside, "port": 80, "headers": [["Host", MONITOR.replace("8080", "80")]]})


def test_the_judge_leaves_ordinary_paths_alone():
    """A judge that condemns everything would make its users refuse everything."""
    names = ("", "a.js", "a/b/", "...", "a..b/c", ".well-known", "%E4%B8%AD%20%E6%96%87", "~a_b-c,d+e=f@g:h!", "%BD")
    for prefixes in PREFIXES.values():
        for path in (prefix + name.encode() for prefix in prefixes for name in names):
            assert outside(path, prefixes) is None, path
    assert readings(b"/o/itsm/weixin/a.js") == {b"/o/itsm/weixin/a.js"}


def test_every_spelling_of_the_way_up_is_read_as_such():
    """What the generator writes and the judge cannot read would be sent for nothing."""
    unread = [dots for dots in spellings("..") if outside(b"/o/itsm/weixin/" + dots + b"/x") is None]
    assert not unread


@pytest.mark.parametrize("path", WAYS_OUT)
def test_known_ways_out_are_closed(edge, path):
    """What the generator finds only now and then, asked every time."""
    with Wire(edge.door()) as wire:
        assert judged(wire.one(request(edge.domain("itsm"), path))) is None


@pytest.mark.parametrize("site", ["monitor", "monitor-open"])
def test_nor_out_of_a_prefix_that_is_another_one_upstream(edge, site):
    """In the same server an open route may take what the wall keeps out: its own upstream gets it, as it always did."""
    with Wire(edge.door()) as wire:
        answers = {path: wire.one(request(edge.domain(site), path)) for path in WAYS_OUT_OF_MONITOR}
    assert {path: wrong for path, answer in answers.items() if (wrong := judged(answer))} == {}
    reached = {seen["platform"] for answer in answers.values() if (seen := arrived(answer))}
    # by plain http nobody has a name
    assert reached - {None} == ({"hub.17wanxiao.com"} if site == "monitor-open" else set())


@st.composite
def _requests(draw: st.DrawFn, edge: Edge) -> bytes:
    site = draw(st.sampled_from([*SITES, "itsm", "itsm", "monitor", "monitor", "monitor-open"]))
    target = draw(targets(site, edge.domain(draw(st.sampled_from(SITES)))))
    return request(edge.domain(site), target, method=draw(st.sampled_from(_METHODS)))


def test_nothing_readable_as_outside_reaches_a_platform(edge, tally):
    """The allow-list holds against every decoder between here and the application."""
    with Wire(edge.door()) as wire:

        def send(batch: Sequence[bytes], counts: Counter[str]) -> Iterator[str]:
            for case, answer in zip(batch, wire.exchange(batch), strict=True):
                if seen := arrived(answer):
                    counts["arrived"] += 1
                    counts["arrived at monitor"] += seen["platform"] is None
                if wrong := judged(answer):
                    yield f"{case!r}: {wrong}"

        counts, told = explore(_requests(edge), send)
        tally(f"{told}, {wire.connections} connections")
        # Enough must pass for the test to say anything, and the sites must still answer.
        assert counts["arrived"] > counts["cases"] / 50
        assert counts["arrived at monitor"] > counts["cases"] / 200
        for site in SITES:
            assert arrived(wire.one(request(edge.domain(site), INSIDE[site]))), site


def test_nor_over_http_2(edge, tally):
    """There a path may hold any byte at all, line breaks included."""
    if edge.name == "slb":
        pytest.skip("the load balancer speaks HTTP/1")
    paths = st.sampled_from(SITES).flatmap(
        lambda site: st.tuples(
            st.just(site),
            targets(site, edge.domain("card")),
            st.sampled_from(["", "\r\nX-Real-IP: 6.6.6.6", "\n", " b"]),
        )
    )
    with Http2(edge.door(alpn="h2")) as client:

        def send(batch: Sequence[tuple[str, bytes, str]], counts: Counter[str]) -> Iterator[str]:
            sent = [head(edge.domain(site), path + more.encode()) for site, path, more in batch]
            for case, answer in zip(batch, client.exchange(sent), strict=True):
                if answer and answer.startswith(b"{"):
                    counts["arrived"] += 1
                    if wrong := wrong_arrival(json.loads(answer)):
                        yield f"{case!r}: {wrong}"

        counts, told = explore(paths, send, CASES // 5)
        tally(told)
        assert counts["arrived"] > counts["cases"] / 50


def test_the_redirect_to_https_leads_nowhere_else(attacked, tally):
    """A target that becomes part of the authority would make the site an open redirect."""
    edge = Edge("tls")
    own = tuple(f"https://{edge.domain(site)}{end}" for site in SITES for end in "/?")

    def send(batch: Sequence[bytes], counts: Counter[str]) -> Iterator[str]:
        for case, answer in zip(batch, wire.exchange(batch), strict=True):
            location = answer.header("Location") if answer else None
            if arrived(answer):
                yield f"{case!r}: arrived"
            if location is None:
                continue
            counts["redirected"] += 1
            # A browser takes a backslash for a slash, and what stands before an @ for a user.
            if not location.startswith(own):
                yield f"{case!r}: {location}"

    with Wire(Door(edge.address, 80)) as wire:
        counts, told = explore(_requests(edge), send, CASES // 5)
    tally(told)
    assert counts["redirected"] > counts["cases"] / 10
