"""The dashboard that `init` writes: every query can be read by Prometheus, and asks for what is there."""

from __future__ import annotations

import json
import re

import yaml

from tests.conftest import REPO
from tests.dashboard import DASHBOARD, FOLDER, filled_in, panels, queries

from . import promtool

EXPOSING = (
    REPO / "gateway/onhost/scripts/metrics.sh",
    REPO / "gateway/deploys/exposition.py",
    *(path for path in (REPO / "templates/metrics").iterdir() if path.is_file()),
)
# Those of panels, and of what marks the moments of deploys.
QUERIES = [*queries(), *(filled_in(one["expr"]) for one in DASHBOARD["annotations"]["list"])]


@promtool.needed
def test_prometheus_can_read_every_query(tmp_path):
    rules = [{"record": f"query:{number}", "expr": expr} for number, expr in enumerate(QUERIES)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    promtool.passes("check", "rules", str(file))


@promtool.needed
def test_prometheus_takes_the_example_with_the_rules():
    assert "rules found" in promtool.passes("check", "config", str(FOLDER / "prometheus.yml"))


def test_no_variable_of_grafana_is_left_that_the_dashboard_does_not_have():
    named = {one["name"] for one in DASHBOARD["templating"]["list"]} | {"__rate_interval"}
    for text in QUERIES:
        assert "$" not in text
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD))) <= named | {"__all"}


def test_every_metric_is_one_that_a_host_or_status_exposes():
    rules = yaml.safe_load((FOLDER / "wecom-gateway.rules.yml").read_text())["groups"]
    asked = [*QUERIES, *(rule["expr"] for group in rules for rule in group["rules"])]
    named = {name for text in asked for name in re.findall(r"\b(?:wecom_gateway|nginx)_\w+", text)}
    exposed = "".join(path.read_text() for path in EXPOSING)
    missing = {name for name in named if not re.search(rf"\b{name.removesuffix('_bucket')}\b", exposed)}
    assert named
    assert missing == set()


def test_panels_have_names_in_both_languages_and_do_not_cover_each_other():
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        assert re.search("[A-Za-z].* · .*[\u4e00-\u9fff]", panel["title"]), panel["title"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_the_job_of_the_example_is_the_one_that_rules_and_dashboard_ask_for():
    (job,) = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    asked = set(re.findall(r'job="([^"]*)"', (FOLDER / "wecom-gateway.rules.yml").read_text()))
    asked |= {name for text in QUERIES for name in re.findall(r'job="([^"]*)"', text)}
    assert asked == {job["job_name"]}


def test_the_example_lacks_none_of_its_files():
    loaded = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    named = [*loaded["rule_files"], *loaded["scrape_configs"][0]["file_sd_configs"][0]["files"]]
    assert all((FOLDER / name).is_file() for name in named)
