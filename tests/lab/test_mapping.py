"""Every row of the platforms' mapping tables, by real requests through real hosts."""

from __future__ import annotations

import pytest

from lab import demo


@pytest.mark.parametrize("row", demo.ROWS, ids=lambda row: f"{row.site}{row.rest}")
def test_the_mapping_tables_hold(edge, row):
    result = demo.ask(row, edge)
    assert result.right, result


@pytest.mark.parametrize("site", demo.SITES)
def test_verification_files_answer_to_a_primitive_fetcher(edge, site):
    result = demo.ask_verification(site, edge)
    assert result.right, result


@pytest.mark.parametrize(
    ("rest", "target"),
    [
        ("/bserver/x?a=1&b=%2F&c=d?e", "/b-server/x?a=1&b=%2F&c=d?e"),
        ("/bserver//x", "/b-server/x"),
        ("/bserver/a%2fb", "/b-server/a/b"),
        ("/bserver/a/../b", "/b-server/b"),
        ("/bserver/x.action;jsessionid=1?q", "/b-server/x.action;jsessionid=1?q"),
        ("/bserver/%E4%B8%AD?%E4", "/b-server/%E4%B8%AD?%E4"),
    ],
)
def test_a_prefix_is_mapped_canonically_with_its_query_untouched(ask, rest, target):
    assert ask("card-test", rest).json()["target"] == target


@pytest.mark.parametrize("rest", ["/bserverX", "/bserver../secret", "/bserver/..%2fsecret", "/Bserver/x", "/x", "/"])
def test_beside_the_prefix_nothing_is_published(ask, rest):
    answer = ask("card-test", rest)
    assert answer.status == 404
    assert answer.header("X-Lab-Arrived") is None


@pytest.mark.parametrize(
    "target",
    [
        "/a%2Fb",
        "/a;jsessionid=1",
        "//",
        "//a//b",
        "/x?",
        "/%7Ea?%20=+",
        "/a/./b",
        "/%E4%B8%AD",
        "/?a=b?c",
        "/a%252fb",
    ],
)
@pytest.mark.parametrize("port", ["", ":9001"])
def test_a_whole_host_gets_the_target_as_it_was_sent(ask, port, target):
    assert ask("card", port + target).json()["target"] == target


def test_a_missing_slash_is_added_without_naming_a_port_or_scheme(ask):
    answer = ask("card-test", "/bserver?a=1")
    assert (answer.status, answer.header("Location")) == (301, "/bserver/?a=1")
