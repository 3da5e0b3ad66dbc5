"""Alarms hear what the code says: each own metric of the templates is driven through the code."""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import pytest
from chalice.test import Client

from common.errors import TooManyRequests, Unavailable
from common.observability import count
from tests.architecture.sources import ROOT, applications
from tests.architecture.templates import Template, parsed
from tests.conftest import load

Metric = tuple[str, str, frozenset[str]]
"""Namespace, name, names of the dimensions."""


def alarms(app: str) -> Iterator[dict[str, Any]]:
    edge: Template = parsed((ROOT / app / "edge.yaml").read_text())
    yield from (r["Properties"] for r in edge["Resources"].values() if r.get("Type") == "AWS::CloudWatch::Alarm")


def metrics_of(alarm: dict[str, Any]) -> set[Metric]:
    stats = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
    stats += [alarm] if "MetricName" in alarm else []
    return {(m["Namespace"], m["MetricName"], frozenset(d["Name"] for d in m["Dimensions"])) for m in stats}


def own_metrics(app: str) -> set[Metric]:
    return {metric for alarm in alarms(app) for metric in metrics_of(alarm) if not metric[0].startswith("AWS/")}


def emitted(text: str) -> set[Metric]:
    """The metrics in a function's output (CloudWatch's embedded metric format)."""
    lines = [json.loads(line) for line in text.splitlines() if line.startswith('{"')]
    return {
        (directive["Namespace"], metric["Name"], frozenset(directive["Dimensions"][0]))
        for line in lines
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ())
        for metric in directive["Metrics"]
    }


def drive(app: str, failure: Exception, monkeypatch: pytest.MonkeyPatch) -> set[Metric]:
    """Let a route of the application fail as it would when its store does, and collect what it counts."""
    module = load(app)

    def fail() -> None:
        count("DynamoDBThrottles")  # what common.dynamodb does where it meets throttling; its own test drives that
        raise failure

    monkeypatch.setattr(module.wiring, "health", fail)
    output = io.StringIO()
    with redirect_stdout(output), Client(module.app, stage_name="local", project_dir=str(ROOT / app)) as client:
        client.http.get("/health")
    return emitted(output.getvalue())


@pytest.mark.parametrize("app", applications())
def test_every_own_metric_of_an_alarm_is_one_that_the_code_writes(app: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = drive(app, Unavailable("The store does not answer."), monkeypatch)

    assert own_metrics(app) == written


@pytest.mark.parametrize("app", applications())
def test_an_answer_below_500_counts_no_server_error(app: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = drive(app, TooManyRequests("The store is busy."), monkeypatch)

    assert "ServerErrors" not in {name for _, name, _ in written}


@pytest.mark.parametrize("app", applications())
def test_every_alarm_tells_somebody(app: str) -> None:
    topics = [alarm.get("AlarmActions") for alarm in alarms(app)]

    assert topics
    assert all(actions == [{"Ref": "AlarmsTopicArn"}] for actions in topics)
