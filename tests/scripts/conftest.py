"""The scripts of hosts, run here: by bash on a host made of folders, or with a real nginx in namespaces of its own."""

from __future__ import annotations

from tests.unit.conftest import files, parse, store_pair

__all__ = ["files", "parse", "store_pair"]
