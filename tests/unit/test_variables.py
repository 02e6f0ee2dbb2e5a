"""nginx refuses a configuration that uses a variable which nothing sets."""

from __future__ import annotations

import re

import pytest

from tests.golden import inventories, trees

_NAME = re.compile(r"\$\{?(wecom_gateway_\w+)")
_SET = re.compile(r"^\s*(?:map|geo)\s+(?:[^{;]+\s)?\$(wecom_gateway_\w+)\s*\{|^\s*set\s+\$(wecom_gateway_\w+)\s", re.M)


@pytest.mark.parametrize(("name", "version"), [*inventories.cases()])
def test_every_variable_is_set_while_no_site_is_served_yet(name: str, version: str) -> None:
    """A site whose certificate is still to come has no server, and a host may have no site at all."""
    files = trees.rendered(name, version)
    of_sites = ("sites/", "acme/", "files/")
    served = [path for path in files if path.endswith(".conf") and not path.startswith(of_sites)]
    text = "\n".join(re.sub(r"#.*", "", files[path].body.decode()) for path in served)
    assert {*_NAME.findall(text)} - {one for pair in _SET.findall(text) for one in pair} == set()
