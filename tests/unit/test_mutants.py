"""The list of wrong changes fits the product as it is; `make mutants` tries them."""

from __future__ import annotations

import pytest

from tests.mutants import catalogue


def test_each_change_is_found_once_in_the_product_and_names_tests_that_are_there():
    assert len(catalogue.read()) >= 60


ENTRY = {"name": "x", "old": "proxy_ssl_verify on;", "new": "y", "tests": ["tests/unit/test_mutants.py"]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"old": "no such text anywhere"}, "stands 0 times in the product"),
        ({"old": "location"}, "times in the product, not once"),
        ({"new": ENTRY["old"]}, "changes nothing"),
        ({"tests": []}, "none is named"),
        ({"tests": ["tests/unit/test_gone.py::test_x"]}, "no such tests: tests/unit/test_gone.py::test_x"),
        ({"tests": ["tests/unit/test_golden.py"]}, "the kept trees notice any change"),
    ],
)
def test_an_entry_that_proves_nothing_is_refused(change, said):
    with pytest.raises(catalogue.CatalogueError, match=said):
        catalogue.checked([ENTRY | change])
    assert catalogue.checked([ENTRY])[0].path.name == "proxy.conf.j2"


def test_two_entries_of_one_name_are_refused():
    with pytest.raises(catalogue.CatalogueError, match="two entries have this name"):
        catalogue.checked([ENTRY, ENTRY])
