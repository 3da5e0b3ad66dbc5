"""The rules for templates can fail: each is shown a template with one thing broken."""

import copy
import json
from collections.abc import Callable, Iterator

import pytest

from tests.architecture import rules
from tests.architecture.templates import Subject, Template, Value

type Rule = Callable[[Subject], Iterator[str]]
GATEWAY = "x-amazon-apigateway-gateway-responses"
SOURCE = "CountRecordsCountRecordsDynamodbEventSource"
STAGE = "RestAPIprodStage"


def properties(template: Template, name: str) -> Template:
    found: Template = template["Resources"][name]["Properties"]
    return found


@pytest.fixture
def broken(subject: Callable[[str], Subject]) -> Subject:
    """A copy of log_service's stacks, to break something in."""
    whole = subject("log_service")
    return Subject(whole.name, copy.deepcopy(whole.resources), copy.deepcopy(whole.edge))


@pytest.mark.parametrize(
    ("rule", "name", "missing", "complaint"),
    [
        (rules.tables, "LogsTable", "SSESpecification", "encrypted"),
        (rules.tables, "LogsTable", "PointInTimeRecoverySpecification", "point-in-time"),
        (rules.tables, "LogsTable", "DeletionProtectionEnabled", "protected"),
        (rules.tables, "IdempotencyTable", "TimeToLiveSpecification", "expire"),
        (rules.tables, "ServicesTable", "BillingMode", "on demand"),
        (rules.queues, "CountRecordsDeadLetters", "KmsMasterKeyId", "not encrypted"),
        (rules.log_groups, "ApiLogGroup", "KmsKeyId", "not encrypted"),
        (rules.log_groups, "AccessLogGroup", "RetentionInDays", "for ever"),
        (rules.alarms, "DeadLettersAlarm", "AlarmActions", "nobody"),
        (rules.alarms, "DeadLettersAlarm", "TreatMissingData", "missing data"),
        (rules.tags, "IngestRole", "Tags", "Application, CostCenter, Environment, ManagedBy"),
    ],
)
def test_a_rule_sees_what_is_missing_in_resources(
    broken: Subject, rule: Rule, name: str, missing: str, complaint: str
) -> None:
    del properties(broken.resources, name)[missing]

    assert [text for text in rule(broken) if text.startswith(f"{name}: ") and complaint in text] != []


@pytest.mark.parametrize(
    ("rule", "name", "missing", "complaint"),
    [
        (rules.asynchronous_sources, SOURCE, "MaximumRetryAttempts", "without a stated end"),
        (rules.asynchronous_sources, SOURCE, "DestinationConfig", "lost"),
        (rules.queues, SOURCE, "DestinationConfig", "no dead-letter queue"),
        (rules.stages, STAGE, "AccessLogSetting", "access log"),
        (rules.stages, STAGE, "MethodSettings", "not throttled"),
        (rules.stages, STAGE, "TracingEnabled", "not traced"),
        (rules.functions, "APIHandler", "KmsKeyArn", "not under our key"),
        (rules.functions, "CountRecords", "LoggingConfig", "no log group"),
        (rules.alarms, "ServerErrorsAlarm", "AlarmActions", "nobody"),
        (rules.tags, "ApiHandlerRole", "Tags", "Application"),
    ],
)
def test_a_rule_sees_what_is_missing_at_the_edge(
    broken: Subject, rule: Rule, name: str, missing: str, complaint: str
) -> None:
    del properties(broken.edge, name)[missing]

    assert [text for text in rule(broken) if complaint in text] != []


def test_a_table_that_goes_with_its_stack_is_seen(broken: Subject) -> None:
    broken.resources["Resources"]["LogsTable"]["DeletionPolicy"] = "Delete"

    assert list(rules.tables(broken)) == ["LogsTable: not true that it stays when its stack goes"]


def test_protection_that_is_off_by_default_is_seen(broken: Subject) -> None:
    broken.resources["Parameters"]["DeletionProtection"]["Default"] = "false"

    assert len(list(rules.tables(broken))) == 3


def test_an_alarm_that_speaks_to_an_undeclared_topic_is_seen(broken: Subject) -> None:
    del broken.resources["Outputs"]["AlarmsTopicArn"]

    assert "ServerErrorsAlarm: nobody hears it" in list(rules.alarms(broken))


def test_an_alarm_over_more_than_ten_metrics_is_seen(broken: Subject) -> None:
    properties(broken.edge, "LogsThrottlesAlarm")["Metrics"] += [{"Id": f"m{n}", "MetricStat": {}} for n in range(9)]

    assert list(rules.alarms(broken)) == ["LogsThrottlesAlarm: more than ten metrics"]


def test_a_rule_without_retry_policy_and_dead_letters_is_seen(broken: Subject) -> None:
    broken.edge["Resources"]["Hourly"] = {"Type": "AWS::Events::Rule", "Properties": {"Targets": [{"Id": "poll"}]}}

    assert len(list(rules.asynchronous_sources(broken))) == 2


def test_a_second_stage_is_seen(broken: Subject) -> None:
    deployment = next(name for name, _ in broken.all_of("AWS::ApiGateway::Deployment"))
    properties(broken.edge, deployment)["StageName"] = "Stage"

    assert list(rules.stages(broken)) == [f"{deployment}: makes a second stage"]


@pytest.mark.parametrize(
    ("kind", "change", "complaint"),
    [
        ("THROTTLED", {"responseParameters": {}}, "no Retry-After"),
        ("THROTTLED", {"responseParameters": {}}, "header X-Frame-Options"),
        ("DEFAULT_4XX", {"responseTemplates": {"application/json": '{"message": "no"}'}}, "not the envelope"),
        ("MISSING_AUTHENTICATION_TOKEN", {"statusCode": "403"}, "status 403"),
    ],
)
def test_a_gateway_response_of_another_form_is_seen(
    broken: Subject, kind: str, change: dict[str, Value], complaint: str
) -> None:
    answer = properties(broken.edge, "RestAPI")["Body"][GATEWAY][kind]
    answer.update(change)

    assert f"RestAPI: {kind}: {complaint}" in list(rules.gateway_responses(broken))


def test_a_gateway_response_that_echoes_is_seen(broken: Subject) -> None:
    answer = properties(broken.edge, "RestAPI")["Body"][GATEWAY]["DEFAULT_5XX"]
    body = json.loads(answer["responseTemplates"]["application/json"])
    answer["responseTemplates"]["application/json"] = json.dumps({**body, "error": "$context.error.message"})

    assert list(rules.gateway_responses(broken)) == ["RestAPI: DEFAULT_5XX: not a fixed text"]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:PutItem", "*"),
        ("dynamodb:*", "arn:aws:dynamodb:*:*:table/simple-log-service-logs-prod"),
        ("dynamodb:PutItem", "arn:aws:dynamodb:*:*:table/*"),
        ("kms:Decrypt", "arn:aws:kms:*:*:key/*"),
        ("sqs:SendMessage", {"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:*"}),
    ],
)
def test_a_permission_for_more_than_one_thing_is_seen(action: str, resource: Value) -> None:
    assert list(rules.permission({"Effect": "Allow", "Action": action, "Resource": resource})) != []


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:Query", ["arn:aws:dynamodb:*:*:table/simple-log-service-logs-prod/index/*"]),
        ("logs:PutLogEvents", "arn:*:logs:*:*:log-group:/aws/lambda/simple-log-service-prod:*"),
        ("sqs:SendMessage", {"Fn::GetAtt": ["Queue", "Arn"]}),
        ("xray:PutTraceSegments", "*"),
    ],
)
def test_a_permission_for_one_thing_is_accepted(action: str, resource: Value) -> None:
    assert list(rules.permission({"Effect": "Allow", "Action": action, "Resource": resource})) == []
