"""The types that complete an inventory in an editor: in step with the models, and without effect on pyinfra."""

from __future__ import annotations

from typing import get_type_hints

from gateway import entries
from gateway.fleet import entry_types
from gateway.fleet.loading import load
from gateway.inventory.model import BlueKing, Egress, SiteEntry, WeCom

from .conftest import REPO


def test_the_types_are_what_the_models_say():
    assert entry_types.TARGET.read_text() == entry_types.source(), "run `make entries`"


def test_every_key_of_the_models_is_there_and_says_what_it_means():
    pairs = ((getattr(entries, model.__name__), model) for model in (SiteEntry, BlueKing, WeCom, Egress))
    for typed, model in pairs:
        assert get_type_hints(typed).keys() == model.model_fields.keys()
        assert all(info.description for info in model.model_fields.values())
        required = {name for name, info in model.model_fields.items() if info.is_required()}
        assert typed.__required_keys__ == required


def test_an_inventory_that_uses_them_has_the_same_hosts_and_groups(tmp_path, monkeypatch):
    monkeypatch.chdir(REPO)
    entry = '= [("h1", {"sites": [{"domain": "wx.a.edu.cn", "edge": "slb"}]})]\n'
    found = []
    for number, head in enumerate(("wanxiao_prod ", "from gateway.entries import Hosts\nwanxiao_prod: Hosts ")):
        path = tmp_path / f"typed{number}.py"
        path.write_text(head + entry)
        fleet = load(str(path))
        # the file's own name is a group as well
        found.append((fleet.hosts, set(fleet.inventory.groups) - {path.stem}))
    assert found[0] == found[1]
