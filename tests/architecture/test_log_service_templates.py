"""What log_service's seed names and measures, found again in its templates."""

import json
from collections.abc import Callable

import pytest

from deploy.packages import ROOT
from tests.architecture.templates import Subject, Template, settled, statements, words

ROLES = {
    "IngestRole": ("ingest", "ingest", {"POST/logs", "POST/logs/batch", "POST/v1/logs"}),
    "ReadRole": ("read", "read", {"GET/logs/recent", "GET/logs/tail", "GET/services"}),
    "FullAccessRole": ("full-access", "full", {"*/*"}),
}
THRESHOLDS = {
    "ApiErrorRateAlarm": (5, 300),
    "ServerErrorsAlarm": (10, 300),
    "LogsThrottlesAlarm": (10, 60),
    "SmallTablesThrottlesAlarm": (10, 60),
}


@pytest.fixture
def log_service(subject: Callable[[str], Subject]) -> Subject:
    return subject("log_service")


def properties(template: Template, name: str) -> Template:
    found: Template = template["Resources"][name]["Properties"]
    return found


@pytest.mark.parametrize(("name", "expected"), ROLES.items())
def test_a_caller_role_may_call_its_routes_and_nothing_else(
    log_service: Subject, name: str, expected: tuple[str, str, set[str]]
) -> None:
    role = properties(log_service.resources, name)
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    (allowed,) = [one for policy in role["Policies"] for one in statements(policy["PolicyDocument"])]
    suffix, external_id, routes = expected

    assert role["RoleName"] == {"Fn::Sub": f"simple-log-service-{suffix}-${{Stage}}"}
    assert trust["Condition"]["StringEquals"]["sts:ExternalId"] == {
        "Fn::Sub": f"simple-log-service-{external_id}-${{Stage}}"
    }
    longest = settled(log_service.resources, trust["Condition"]["NumericLessThanEquals"])["sts:DurationSeconds"]
    assert settled(log_service.resources, longest) == 900
    assert allowed["Action"] == "execute-api:Invoke"
    assert {arn.split("${Stage}/")[1] for arn in words(allowed["Resource"])} == routes


@pytest.mark.parametrize(("name", "expected"), THRESHOLDS.items())
def test_an_alarm_has_the_threshold_and_period_of_the_seed(
    log_service: Subject, name: str, expected: tuple[int, int]
) -> None:
    alarm = properties(log_service.edge, name)
    periods = {metric["MetricStat"]["Period"] for metric in alarm["Metrics"] if "MetricStat" in metric}

    assert (settled(log_service.edge, alarm["Threshold"]), periods) == (expected[0], {expected[1]})
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"


@pytest.mark.parametrize("table", ["LogsTable", "ServicesTable", "IdempotencyTable"])
def test_a_throttle_anywhere_in_a_table_is_counted(log_service: Subject, table: str) -> None:
    indexes = properties(log_service.resources, table).get("GlobalSecondaryIndexes", [])
    places = {("",)} | {(index["IndexName"],) for index in indexes}
    counted = set()
    for alarm in ("LogsThrottlesAlarm", "SmallTablesThrottlesAlarm"):
        for metric in properties(log_service.edge, alarm)["Metrics"]:
            dimensions = metric.get("MetricStat", {}).get("Metric", {}).get("Dimensions", [])
            if dimensions and log_service.target(dimensions[0]["Value"]) == table:
                index = dimensions[1]["Value"] if dimensions[1:] else ""
                counted.add((metric["MetricStat"]["Metric"]["MetricName"], index))

    assert counted == {(name, *place) for place in places for name in ("ReadThrottleEvents", "WriteThrottleEvents")}


def test_limits_are_the_seeds(log_service: Subject) -> None:
    defaults = {name: declared.get("Default") for name, declared in log_service.edge["Parameters"].items()}
    function = properties(log_service.edge, "APIHandler")

    assert (defaults["ThrottleRate"], defaults["ThrottleBurst"], defaults["ReservedConcurrency"]) == (
        10_000,
        5_000,
        100,
    )
    assert log_service.resources["Parameters"]["LogRetentionDays"]["Default"] == 7
    assert (function["MemorySize"], function["Timeout"]) == (256, 30)


def test_the_stream_is_read_in_whole_batches(log_service: Subject) -> None:
    source = properties(log_service.edge, "CountRecordsCountRecordsDynamodbEventSource")

    assert (source["BatchSize"], source["ParallelizationFactor"], source["StartingPosition"]) == (90, 1, "TRIM_HORIZON")
    assert not source.get("BisectBatchOnFunctionError")
    assert "FunctionResponseTypes" not in source


def test_only_the_two_public_documents_are_open_to_everybody(log_service: Subject) -> None:
    policy = properties(log_service.edge, "RestAPI")["Body"]["x-amazon-apigateway-policy"]
    public, organization, rest = statements(policy)
    documents = ["execute-api:/${Stage}/GET/health", "execute-api:/${Stage}/GET/openapi.json"]

    assert words(public["Resource"]) == words(rest["NotResource"]) == documents
    assert (rest["Effect"], rest["Principal"]) == ("Deny", "*")
    assert "aws:PrincipalOrgID" in organization["Condition"]["StringEquals"]


def test_every_other_route_asks_for_a_signature(log_service: Subject) -> None:
    paths = properties(log_service.edge, "RestAPI")["Body"]["paths"]
    signed = {path for path, methods in paths.items() for method in methods.values() if method.get("security")}

    assert set(paths) - signed == {"/health", "/openapi.json"}


def test_the_gateway_enforces_no_model_that_ndjson_or_gzip_would_break(log_service: Subject) -> None:
    paths = properties(log_service.edge, "RestAPI")["Body"]["paths"]
    switch = paths["/logs"]["post"]["x-amazon-apigateway-request-validator"]

    assert settled(log_service.edge, switch) == "parameters"
    assert paths["/logs/batch"]["post"]["x-amazon-apigateway-request-validator"] == "parameters"
    assert "x-amazon-apigateway-request-validator" not in paths["/v1/logs"]["post"]


@pytest.mark.parametrize("handler", ["api_handler", "count_records"])
def test_a_function_cannot_change_or_remove_a_record(handler: str) -> None:
    policy = json.loads((ROOT / "log_service" / ".chalice" / f"policy-{handler}-prod.json").read_text())
    on_logs = {
        action
        for statement in policy["Statement"]
        for action in words(statement["Action"])
        if any("simple-log-service-logs-prod" in arn for arn in words(statement["Resource"]))
    }

    assert on_logs.isdisjoint({"dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Scan"})


def test_a_function_name_is_the_one_its_log_group_and_policy_name(log_service: Subject) -> None:
    for function, group in (("APIHandler", "ApiLogGroup"), ("CountRecords", "CountRecordsLogGroup")):
        (name,) = words(properties(log_service.edge, function)["FunctionName"])
        (written,) = words(properties(log_service.resources, group)["LogGroupName"])
        assert written == f"/aws/lambda/{name}"
