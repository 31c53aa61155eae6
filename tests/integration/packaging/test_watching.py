# SPDX-License-Identifier: Apache-2.0
"""Alerts, dashboard and runbook: what they name exists, and what exists has its section."""

import json
import re
import shutil
import subprocess

import pytest

from rig.settings import DEADLINE, TOP

FOLDER = TOP / "packaging/prometheus"
RULES = (FOLDER / "rpcgate.rules.yml").read_text()
RULE_TESTS = (FOLDER / "rpcgate.rules.test.yml").read_text()
RUNBOOK = (TOP / "docs/runbook.md").read_text()
DASHBOARD = json.loads((FOLDER / "grafana.json").read_text())

ALERTS = re.findall(r"- alert: (\w+)", RULES)
PROBLEMS = re.findall(r'^    X\([A-Z_]+, "([a-z-]+)"', (TOP / "src/codec/problem_list.h").read_text(),
                      re.M)
METRICS = {name: kind for name, kind in re.findall(
    r'X\([A-Z_]+, "(\w+)", "(\w+)"', (TOP / "src/front/metric_list.h").read_text())}

#: What Prometheus adds to every series, and a histogram to its buckets.
LABELS_OF_PROMETHEUS = {"instance", "job", "le"}


def panels(of=None):
    for panel in (of or DASHBOARD)["panels"]:
        yield panel
        yield from panels(panel) if panel.get("panels") else ()


def expressions() -> list[str]:
    rules = re.findall(r"expr: (?:\|\n((?: {10}.*\n)+)|(.*)\n)", RULES)
    return [one or other for one, other in rules] + [
        target["expr"] for panel in panels() for target in panel.get("targets", ())]


def named(expression: str) -> set[str]:
    """The metrics, with what a histogram's series add to its name."""
    return set(re.findall(r"\b(?:rpcgate|process)_\w+", re.sub(r'"[^"]*"', '""', expression)))


def family(name: str) -> str:
    stem = re.sub(r"_(bucket|sum|count)$", "", name)
    return stem if METRICS.get(stem) == "histogram" else name


def section(title: str) -> str:
    found = re.search(rf"^### {re.escape(title)}\n(.*?)(?=^##|\Z)", RUNBOOK, re.M | re.S)
    assert found, f"docs/runbook.md has no section {title}"
    return found[1]


def test_there_is_something_to_look_at():
    assert len(ALERTS) == 5 and len(PROBLEMS) > 20 and len(METRICS) > 20
    assert len(expressions()) > 30


@pytest.mark.parametrize("title", ALERTS + PROBLEMS)
def test_the_runbook_has_a_section(title):
    text = section(title)
    for part in ("**Means**: ", "**Look at**: ", "**Do**: "):
        assert text.count(part) == 1, part


def test_the_runbook_has_no_other_sections():
    assert set(re.findall(r"^### (.+)$", RUNBOOK, re.M)) == {*ALERTS, *PROBLEMS}


def test_every_alert_leads_to_its_section_and_is_tried():
    for alert in ALERTS:
        body = RULES.split(f"- alert: {alert}\n")[1].split("- alert:")[0]
        assert f"runbook: docs/runbook.md#{alert.lower()}\n" in body
        assert f"severity: {'warning' if 'warning' in body else 'critical'}" in body
        tried = re.findall(rf"alertname: {alert}\n +exp_alerts:( \[\])?\n", RULE_TESTS)
        assert "" in tried and " []" in tried, f"{alert}: when it comes, and when not"


def test_every_metric_exists():
    for expression in expressions():
        assert named(expression), expression
        for name in named(expression):
            assert family(name) in METRICS, f"{name} in {expression}"
            # The sum of a histogram's name alone is no series.
            assert (METRICS[family(name)] == "histogram") == (family(name) != name), name


def test_every_metric_of_ours_has_a_panel():
    assert {name for name in METRICS if name.startswith("rpcgate_")} <= {
        family(name) for expression in expressions() for name in named(expression)}


def test_outcomes_are_problems():
    outcomes = {word for expression in expressions()
                for words in re.findall(r'outcome=~?"([^"]+)"', expression)
                for word in words.split("|")}
    assert outcomes and outcomes <= {"ok", *PROBLEMS}


def test_labels_are_those_of_the_gateway(start):
    """Every label that is matched or summed by stands on that metric."""
    up = start.upstream()
    gateway = start.simple(up, workers=1)
    assert gateway.call("up", "m", [1]).status == 200
    labels: dict[str, set[str]] = {}
    for line in gateway.get("/metrics").body.decode().splitlines():
        if found := re.match(r"(\w+)(?:\{(.*)\})? ", line) if not line.startswith("#") else None:
            labels.setdefault(family(found[1]), set()).update(
                re.findall(r'(\w+)="', found[2] or ""))
    seen = 0
    for expression in expressions():
        known = set.union(*(labels.get(family(name), set()) for name in named(expression)))
        if any(family(name) not in labels for name in named(expression)):
            continue  # of upstreams with sessions or several URLs
        used = set(re.findall(r"(\w+)(?:=~|!~|!=|=)\"", expression))
        for group in re.findall(r"by \(([^)]*)\)", expression):
            used |= set(group.replace(" ", "").split(","))
        assert used - LABELS_OF_PROMETHEUS <= known, expression
        seen += 1
    assert seen > 20


def test_the_dashboard_holds_together():
    ids = [panel["id"] for panel in panels()]
    assert len(set(ids)) == len(ids)
    variables = {one["name"] for one in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", " ".join(expressions()))) - {"__rate_interval", "labels",
                                                                     "value"}
    assert used <= variables
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}" and panel["targets"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="there is no promtool: Debian's "
                    "prometheus has it, which is too large for bootstrap")
@pytest.mark.parametrize("words", [("check", "rules", "rpcgate.rules.yml"),
                                   ("test", "rules", "rpcgate.rules.test.yml")])
def test_promtool(words):
    done = subprocess.run(["promtool", *words], cwd=FOLDER, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=DEADLINE, check=False)
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout
