"""What the proxy benchmark makes of its runs: no verdict better than the numbers, and no feature that seems free."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.errors import BenchError
from bench.proxy.cases import EDGES, SMALL, Case, at_edge
from bench.proxy.client import ab_load
from bench.proxy.expectations import judge
from bench.proxy.features import FEATURES, Feature
from bench.proxy.measure import Cell, Result
from bench.proxy.proxies import CADDY, ENGINE, GATEWAY, HAPROXY, SAMPLE
from bench.proxy.report import section_of, with_section
from tests.golden.trees import rendered

ONE = Result(rate=1000, p50=1, p99=2, cpu=0.1, handshakes=0, proxy_share=1, proxy_core=1, other_core=1)
_AB = """
Document Length:        100 bytes

Concurrency Level:      64
Time taken for tests:   2.000 seconds
Complete requests:      4321
Failed requests:        0
Requests per second:    2160.50 [#/sec] (mean)

Percentage of the requests served within a certain time (ms)
  50%     12
  99%     31
 100%     60 (longest request)
"""


def _cells(**theirs: float) -> list[Cell]:
    """Every cell that is judged; `theirs` are the CPU seconds of nginx alone and of HAProxy where ours are 0.1."""
    cpu = {GATEWAY: 0.1, ENGINE: theirs.get("engine", 0.1), HAPROXY: theirs.get("haproxy", 0.2), SAMPLE: 1, CADDY: 1}
    cases = [Case(edge, SMALL, kept=True) for edge in EDGES] + [Case("tls", SMALL, kept=False, full=True)]
    rate = {GATEWAY: 10_000.0}
    return [
        Cell(name, case, (replace(ONE, cpu=used, rate=rate.get(name, 1000)),) * 3)
        for name, used in cpu.items()
        for case in cases
    ]


def test_it_is_met_where_the_numbers_are_good_enough():
    assert [verdict.met for verdict in judge(_cells(engine=0.088, haproxy=0.111))] == [True] * 9


@pytest.mark.parametrize(
    ("cells", "missed"),
    [(_cells(engine=0.086), "at most 1.15 times"), (_cells(haproxy=0.109), "at least 1.1 times as good as HAProxy")],
    ids=["more work than nginx alone", "no better than HAProxy"],
)
def test_a_ratio_that_is_too_bad_is_said_at_both_edges(cells, missed):
    bad = [verdict.expected for verdict in judge(cells) if not verdict.met]
    assert len(bad) == 2
    assert all(missed in one for one in bad)


def test_the_rounds_median_counts_not_the_best_one():
    cells = _cells(haproxy=0.1)
    lucky = next(number for number, cell in enumerate(cells) if cell.name == HAPROXY)
    runs = cells[lucky].runs
    cells[lucky] = replace(cells[lucky], runs=(replace(runs[0], cpu=9), *runs[1:]))
    assert any("HAProxy by CPU" in verdict.expected and not verdict.met for verdict in judge(cells))


def test_a_proxy_that_failed_is_not_measured():
    cells = [replace(cell, failure="no answer") if cell.name == GATEWAY else cell for cell in _cells()]
    assert {(verdict.measured, verdict.met) for verdict in judge(cells)} == {("not measured", None)}


def test_each_edge_is_asked_over_a_plain_upstream_and_only_tls_for_full_handshakes():
    assert [sum(case.plain for case in at_edge(edge)) for edge in EDGES] == [1, 1]
    assert [sum(case.full for case in at_edge(edge)) for edge in EDGES] == [0, 1]
    assert len({case for edge in EDGES for case in at_edge(edge)}) == 11


def test_what_ab_saw():
    load = ab_load(_AB, 100)
    assert (load.requests, load.seconds, load.p50, load.p99) == (4321, 2, 12, 31)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Failed requests:        0", "Failed requests:        1"),
        ("Failed requests:        0", "Failed requests:        0\nNon-2xx responses:      3"),
        ("Complete requests:      4321", "Complete requests:      0"),
        ("Document Length:        100 bytes", "Document Length:        99 bytes"),
    ],
)
def test_a_missing_or_wrong_answer_fails_the_run(right, wrong):
    with pytest.raises(BenchError):
        ab_load(_AB.replace(right, wrong), 100)


@pytest.mark.parametrize("edge", EDGES)
def test_every_feature_can_still_be_taken_out_of_what_is_rendered(edge):
    release = rendered(f"wanxiao-test-{edge}", "1.22.1")
    files = {path: file.body.decode() for path, file in release.items() if path.endswith(".conf")}
    for feature in FEATURES:
        assert feature.taken_out(files), feature.name


def test_a_feature_that_is_not_there_is_said_not_counted_as_free():
    with pytest.raises(BenchError, match="no longer says"):
        Feature("x", (("gateway.conf", "no such thing", ""),)).taken_out({"gateway.conf": "log_format x;"})


def test_a_section_is_put_in_place_of_the_one_before_and_leaves_the_others():
    report = with_section("# Requests\n\n## A\n\na\n", "## B\n\nfirst\n")
    report = with_section(report, "## C\n\nc\n")
    report = with_section(report, "## B\n\nsecond\n")
    assert report == "# Requests\n\n## A\n\na\n\n## B\n\nsecond\n\n## C\n\nc\n"
    assert with_section("# New\n", section_of(report, "## B")) == "# New\n\n## B\n\nsecond\n"
    assert section_of(report, "## D") == ""
