"""Whatever a client claims about itself and its way here: only the gateway's own word arrives."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import strategies as st

from lab.wire import Wire, arrived

from .edges import ARRIVES, INSIDE, SITES, Edge
from .explore import CASES, explore
from .forged import NAMES, expected, forged_requests, forgery
from .h2 import Http2, head
from .readings import judged


def test_the_judge_sees_a_forgery():
    """Guards the tests below: each of these would be believed by some framework."""
    wanted = expected(Edge("slb"), "itsm")
    honest = [[name.title(), value] for name, (value,) in wanted.items()]
    assert forgery({"headers": honest}, wanted) is None
    assert forgery({"headers": [*honest, ["Accept", "*/*"]]}, wanted) is None
    for claim in ("X-Forwarded-Host", "x_real_ip", "X_Forwarded-For", "Proxy-Path", "X-Bkapi-JWT", "Host", "Upgrade"):
        assert forgery({"headers": [*honest, [claim, "evil"]]}, wanted), claim
    assert forgery({"headers": honest[1:]}, wanted)


def test_only_the_gateway_says_who_is_asking(edge, tally):
    """Inner systems decide by these headers; one spelling that slips through is an open door."""
    wanted = {site: expected(edge, site) for site in SITES}
    with Wire(edge.door()) as wire:

        def send(batch: Sequence[tuple[str, bytes]], counts: Counter[str]) -> Iterator[str]:
            for (site, case), answer in zip(batch, wire.exchange([case for _, case in batch]), strict=True):
                seen = arrived(answer)
                counts["arrived"] += seen is not None
                if wrong := (forgery(seen, wanted[site]) if seen else judged(answer)):
                    yield f"{case!r}: {wrong}"

        counts, told = explore(forged_requests(edge), send)
    tally(f"{told}, {wire.connections} connections")
    assert counts["arrived"] > counts["cases"] / 5


def test_nor_over_http_2(edge, tally):
    if edge.name == "slb":
        pytest.skip("the load balancer speaks HTTP/1")
    spelled = st.tuples(
        st.sampled_from([b"", b"", b"", b" ", b"_", b":", b"\0"]),
        st.sampled_from(NAMES).map(str.encode),
        st.sampled_from([bytes.lower, bytes.lower, bytes, lambda name: name.lower().replace(b"-", b"_")]),
        st.sampled_from([b"", b"", b"", b" ", b":", b"\r\nx", b"\0"]),
    ).map(lambda drawn: drawn[0] + drawn[2](drawn[1]) + drawn[3])
    values = st.sampled_from(
        [b"6.6.6.6", b"", b"a\r\nX-Real-IP: 6.6.6.6", b"a\nX-Forwarded-Host: evil", b"a\r\n\r\nGET / HTTP/1.1", b"a\0b"]
    )
    # Fields of one connection, which HTTP/2 forbids, and pseudo-fields in the wrong place.
    others = st.sampled_from(
        [
            *((b"connection", b"x-forwarded-for"), (b"transfer-encoding", b"chunked"), (b"upgrade", b"h2c")),
            *((b":path", b"/admin"), (b":authority", b"evil.example"), (b"host", b"evil.example"), (b":x", b"y")),
            *((b"content-length", b"5"), (b"proxy-connection", b"x"), (b"te", b"gzip"), (b"cookie", b"a=b")),
        ]
    )
    cases = st.tuples(
        st.sampled_from(SITES), st.lists(st.one_of(st.tuples(spelled, values), others), min_size=1, max_size=4)
    )
    with Http2(edge.door(alpn="h2")) as client:

        def send(batch: Sequence[tuple[str, list[tuple[bytes, bytes]]]], counts: Counter[str]) -> Iterator[str]:
            sent = [head(edge.domain(site), INSIDE[site].encode(), *fields) for site, fields in batch]
            for (site, fields), answer in zip(batch, client.exchange(sent), strict=True):
                if answer and answer.startswith(b"{"):
                    counts["arrived"] += 1
                    seen = json.loads(answer)
                    wrong = forgery(seen, expected(edge, site))
                    if seen["target"] != ARRIVES[site]:
                        wrong = f"arrived as {seen['target']}"
                    if wrong:
                        yield f"{site} {fields!r}: {wrong}"

        counts, told = explore(cases, send, CASES // 5)
    tally(told)
    assert counts["arrived"] > counts["cases"] / 20
