"""The alert rules, the dashboard and the autoscaler ask for what a running service really exports.

promtool, where it is on the PATH, reads the same files and runs deploy/prometheus/alerts_test.yaml.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.documents import ROOT
from tests.service.house import RULES, running

DEPLOY = ROOT / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yaml"
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
PROMTOOL = shutil.which("promtool") or ""
SCRAPED = {"job", "instance", "namespace", "pod"}  # labels that Prometheus puts on by itself
METRIC = re.compile(r"\b((?:pointsman|process)_[a-z_]+)\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"')


class Exported(NamedTuple):
    labels: dict[str, set[str]]  # by sample name
    values: dict[tuple[str, str], set[str]]  # by sample name and label


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("service")
    quiet = "policy: {source_went_quiet: [{project: 1, after: 1h, team: search}]}\n"
    (folder / "rules.yaml").write_text(RULES + quiet)
    with running(folder) as client:
        client.app.state.runtime.quiet_watch.look()  # type: ignore[attr-defined]
        text = client.get("/metrics").text
    labels: dict[str, set[str]] = {}
    values: dict[tuple[str, str], set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
            for label, value in sample.labels.items():
                values.setdefault((sample.name, label), set()).add(value)
    return Exported(labels, values)


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries() -> list[str]:
    """Every PromQL expression of deploy/, and what the autoscaler asks for by name."""
    adapter = yaml.safe_load((DEPLOY / "prometheus" / "adapter.yaml").read_text())["rules"]
    scaler = yaml.safe_load((DEPLOY / "kubernetes" / "autoscaler.yaml").read_text())["spec"]
    pods = [one["pods"]["metric"]["name"] for one in scaler["metrics"] if "pods" in one]
    assert pods == [one["name"]["matches"] for one in adapter]
    shown = [target["expr"] for panel in PANELS for target in panel["targets"]]
    return [rule["expr"] for rule in rules()] + shown + [one["seriesQuery"] for one in adapter]


def unknown(query: str, exported: Exported) -> Iterator[str]:
    """What the query names that no service exports."""
    names = {name for name, _ in METRIC.findall(query)}
    yield from names - exported.labels.keys()
    known = {label for name in names for label in exported.labels.get(name, ())} | SCRAPED | {"le"}
    for listed in re.findall(r"\b(?:by|without) \(([^)]*)\)", query):
        yield from set(re.split(r",\s*", listed)) - known
    for name, matchers in METRIC.findall(query):
        for label, operator, value in MATCHER.findall(matchers):
            if label in SCRAPED:
                continue
            there = exported.values.get((name, label), set())
            asked = value.split("|") if operator in ("=~", "!~") else [value]
            yield from (f"{label}={one}" for one in asked if one and one not in there)


@pytest.mark.parametrize("query", sorted(set(queries())))
def test_what_is_asked_for_is_exported(query: str, exported: Exported) -> None:
    assert list(unknown(query, exported)) == []


@pytest.mark.parametrize(
    ("query", "missing"),
    [
        ("pointsman_made_up > 0", "pointsman_made_up"),
        ("sum by (colour) (pointsman_outbox_pending)", "colour"),
        ('pointsman_events_rejected_total{reason="rude"}', "reason=rude"),
    ],
)
def test_what_is_not_exported_is_found(query: str, missing: str, exported: Exported) -> None:
    assert list(unknown(query, exported)) == [missing]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert len(rule["annotations"]["description"]) > 40
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert f'<a id="{anchor}">' in (ROOT / page).read_text()


def test_the_panels_lie_beside_each_other_and_say_what_they_show() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, (panel["title"], taken[x, y])
                taken[x, y] = panel["title"]
    assert max(x for x, _ in taken) == 23
    titles = [panel["title"] for panel in DASHBOARD["panels"]]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(set(titles)) == len(titles)


def test_the_panels_use_the_source_that_is_chosen() -> None:
    names = {one["name"] for one in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)\}?", json.dumps(PANELS))) - {"__rate_interval"}
    assert used == names == {"datasource", "job"}
    sources = {one["datasource"]["uid"] for panel in PANELS for one in (panel, *panel["targets"])}
    assert sources == {"${datasource}"}


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed")
def test_promtool_takes_the_rules_and_every_query(tmp_path: Path) -> None:
    said = [re.sub(r"\$__rate_interval", "5m", query) for query in queries()]
    shown = {"groups": [{"name": "all", "rules": [{"record": "a:b", "expr": e} for e in said]}]}
    (tmp_path / "queries.yaml").write_text(json.dumps(shown))
    for words in (
        ("check", "rules", "--lint=none", str(tmp_path / "queries.yaml")),
        ("check", "rules", str(ALERTS)),
        ("test", "rules", str(ALERTS.with_name("alerts_test.yaml"))),
    ):
        answer = subprocess.run([PROMTOOL, *words], capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stdout + answer.stderr
