"""What every template must hold. Each rule returns its complaints, so that a test can also see it complain."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from common.web.replies import SECURITY_HEADERS
from tests.architecture.templates import Subject, Value, settled, statements, words

TAGS = {"Application", "Environment", "ManagedBy", "CostCenter"}
UNTAGGED = {"AWS::Lambda::EventSourceMapping": "SAM gives tags to no event source"}
WILDCARDS = {
    "xray:PutTraceSegments": "X-Ray knows no resources",
    "xray:PutTelemetryRecords": "X-Ray knows no resources",
    "dynamodb:ListStreams": "it lists, it names none",
}
RESOURCE_TYPES = {"key", "table", "function", "log-group", "role", "secret", "parameter", "stream", "index"}
QUEUE, TOPIC, TABLE = "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::DynamoDB::Table"
STATUS = {
    "MISSING_AUTHENTICATION_TOKEN": 404,
    "INVALID_API_KEY": 401,
    "UNAUTHORIZED": 401,
    "ACCESS_DENIED": 403,
    "REQUEST_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "THROTTLED": 429,
    "QUOTA_EXCEEDED": 429,
    "INTEGRATION_TIMEOUT": 504,
    "DEFAULT_4XX": None,
    "DEFAULT_5XX": None,
}


def tables(subject: Subject) -> Iterator[str]:
    """Customer key, recovery, protection, kept on delete, expiry, on demand."""
    for name, table in subject.all_of(TABLE):
        properties = table["Properties"]
        key = properties.get("SSESpecification", {}).get("KMSMasterKeyId")
        protected = settled(subject.resources, properties.get("DeletionProtectionEnabled"))
        wanted = {
            "is encrypted with our key": subject.kind_of(key) == "AWS::KMS::Key",
            "has point-in-time recovery": properties.get("PointInTimeRecoverySpecification", {}).get(
                "PointInTimeRecoveryEnabled"
            )
            is True,
            "is protected against deletion": protected is True,
            "stays when its stack goes": _kept(table),
            "lets items expire": properties.get("TimeToLiveSpecification", {}).get("Enabled") is True,
            "is on demand": properties.get("BillingMode") == "PAY_PER_REQUEST",
        }
        yield from (f"{name}: not true that it {what}" for what, holds in wanted.items() if not holds)


def _kept(resource: Mapping[str, Any]) -> bool:
    return resource.get("DeletionPolicy") == "Retain" and resource.get("UpdateReplacePolicy") == "Retain"


def queues(subject: Subject) -> Iterator[str]:
    """Encrypted; each has a dead-letter queue or is one."""
    dead = {subject.target(reference) for reference in _dead_letter_references(subject)}
    for name, queue in subject.all_of(QUEUE):
        properties = queue["Properties"]
        if name not in dead and "RedrivePolicy" not in properties:
            yield f"{name}: has no dead-letter queue and is none"
        if subject.kind_of(properties.get("KmsMasterKeyId")) != "AWS::KMS::Key":
            yield f"{name}: not encrypted with our key"


def _dead_letter_references(subject: Subject) -> Iterator[Value]:
    for _, resource in subject.all_of():
        properties = resource.get("Properties", {})
        yield properties.get("RedrivePolicy", {}).get("deadLetterTargetArn")
        yield properties.get("DeadLetterConfig", {}).get("TargetArn")
        yield properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        for target in properties.get("Targets", []):
            yield target.get("DeadLetterConfig", {}).get("Arn")


def log_groups(subject: Subject) -> Iterator[str]:
    """Our key and a retention."""
    for name, group in subject.all_of("AWS::Logs::LogGroup"):
        if subject.kind_of(group["Properties"].get("KmsKeyId")) != "AWS::KMS::Key":
            yield f"{name}: not encrypted with our key"
        if "RetentionInDays" not in group["Properties"]:
            yield f"{name}: kept for ever"


def alarms(subject: Subject) -> Iterator[str]:
    """A declared topic hears each; missing data is thought of; at most ten metrics, as CloudWatch takes."""
    for name, alarm in subject.all_of("AWS::CloudWatch::Alarm"):
        properties = alarm["Properties"]
        actions = properties.get("AlarmActions", [])
        if not actions or any(subject.kind_of(action) != TOPIC for action in actions):
            yield f"{name}: nobody hears it"
        if "TreatMissingData" not in properties:
            yield f"{name}: silent about missing data"
        if sum("MetricStat" in metric for metric in properties.get("Metrics", [])) > 10:
            yield f"{name}: more than ten metrics"


def asynchronous_sources(subject: Subject) -> Iterator[str]:
    """Streams and rules retry a stated number of times and put what fails into a queue."""
    for name, mapping in subject.all_of("AWS::Lambda::EventSourceMapping"):
        properties = mapping["Properties"]
        if "StartingPosition" in properties:
            failed = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
            yield from _retried(subject, name, properties, failed)
    for name, rule in subject.all_of("AWS::Events::Rule"):
        for target in rule["Properties"].get("Targets", []):
            failed = target.get("DeadLetterConfig", {}).get("Arn")
            yield from _retried(subject, name, target.get("RetryPolicy", {}), failed)


def _retried(subject: Subject, name: str, policy: Mapping[str, Any], failed: Value) -> Iterator[str]:
    if "MaximumRetryAttempts" not in policy:
        yield f"{name}: retries without a stated end"
    if subject.kind_of(failed) != QUEUE:
        yield f"{name}: what fails is lost"


def tags(subject: Subject) -> Iterator[str]:
    """Whatever can be tagged is: Application, Environment, ManagedBy, CostCenter."""
    for name, resource in subject.all_of():
        place = _tag_property(resource["Type"])
        if place and resource["Type"] not in UNTAGGED:
            missing = TAGS - _tag_names(resource.get("Properties", {}).get(place, []))
            if missing:
                yield f"{name}: without tags {', '.join(sorted(missing))}"


def _tag_property(kind: str) -> str:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    named = schema.get("tagging", {}).get("tagProperty", "").removeprefix("/properties/")
    return named if named in schema["properties"] else "Tags" if "Tags" in schema["properties"] else ""


def _tag_names(given: Value) -> set[str]:
    return set(given) if isinstance(given, dict) else {tag["Key"] for tag in given}


def policies(subject: Subject) -> Iterator[str]:
    """Each permission names what it is for; the exceptions stand in WILDCARDS."""
    for name, role in subject.all_of("AWS::IAM::Role"):
        for policy in role["Properties"].get("Policies", []):
            for statement in statements(policy["PolicyDocument"]):
                yield from (f"{name}: {complaint}" for complaint in permission(statement))


def permission(statement: Mapping[str, Any]) -> Iterator[str]:
    """Complaints about one Allow statement of an identity's policy."""
    actions = words(statement.get("Action", "*"))
    if statement["Effect"] != "Allow":
        return
    yield from (f"{action} is not one action" for action in actions if "*" in action)
    vague = [resource for resource in words(statement.get("Resource", "*")) if not _concrete(resource)]
    by_alias = "kms:ResourceAliases" in json.dumps(statement.get("Condition", {}))
    if vague and not by_alias and not set(actions) <= set(WILDCARDS):
        yield f"{', '.join(actions)} on {', '.join(vague)}"


def _concrete(resource: str) -> bool:
    if resource == "{}":
        return True
    parts = re.sub(r"\$\{AWS::\w+\}", "x", resource).split(":", 5)[5:] or [resource]
    named = [word for word in parts[0].replace(":", "/").split("/") if word.strip("*")]
    return bool(set(named) - RESOURCE_TYPES)


def gateway_responses(subject: Subject) -> Iterator[str]:
    """The gateway's own errors carry the envelope, fixed texts and the headers that the application sends."""
    for name, api in subject.all_of("AWS::ApiGateway::RestApi"):
        responses = api["Properties"]["Body"].get("x-amazon-apigateway-gateway-responses", {})
        yield from (f"{name}: no answer for {kind}" for kind in STATUS if kind not in responses)
        for kind, response in responses.items():
            yield from (f"{name}: {kind}: {complaint}" for complaint in _gateway_response(kind, response))


def _gateway_response(kind: str, response: Mapping[str, Any]) -> Iterator[str]:
    body = json.loads(response["responseTemplates"]["application/json"])
    headers = {
        key.removeprefix("gatewayresponse.header."): value for key, value in response["responseParameters"].items()
    }
    expected = {key: f"'{value}'" for key, value in SECURITY_HEADERS.items()} | {"X-Request-Id": "context.requestId"}
    if list(body) != ["success", "error", "code", "requestId"] or body.get("requestId") != "$context.requestId":
        yield "not the envelope"
    if "$" in body.get("error", "") + body.get("code", ""):
        yield "not a fixed text"
    yield from (f"header {key}" for key, value in expected.items() if headers.get(key) != value)
    status = response.get("statusCode")
    if STATUS.get(kind) and str(STATUS[kind]) != status:
        yield f"status {status}"
    if status in {"429", "503"} and "Retry-After" not in headers:
        yield "no Retry-After"


def stages(subject: Subject) -> Iterator[str]:
    """One stage: access log in a group of ours, tracing, throttling, no execution log (its group has no key)."""
    for name, deployment in subject.all_of("AWS::ApiGateway::Deployment"):
        if "StageName" in deployment["Properties"]:
            yield f"{name}: makes a second stage"
    for name, stage in subject.all_of("AWS::ApiGateway::Stage"):
        properties = stage["Properties"]
        settings = properties.get("MethodSettings", [{}])[0]
        if subject.kind_of(properties.get("AccessLogSetting", {}).get("DestinationArn")) != "AWS::Logs::LogGroup":
            yield f"{name}: no access log"
        if properties.get("TracingEnabled") is not True:
            yield f"{name}: not traced"
        if not {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= set(settings):
            yield f"{name}: not throttled"
        if settings.get("LoggingLevel") != "OFF" or settings.get("DataTraceEnabled") is not False:
            yield f"{name}: writes an execution log"


def functions(subject: Subject) -> Iterator[str]:
    """Traced, logging into a declared group, environment under our key."""
    for name, function in subject.all_of("AWS::Lambda::Function"):
        properties = function["Properties"]
        if properties.get("TracingConfig", {}).get("Mode") != "Active":
            yield f"{name}: not traced"
        if subject.kind_of(properties.get("LoggingConfig", {}).get("LogGroup")) != "AWS::Logs::LogGroup":
            yield f"{name}: no log group of ours"
        if subject.kind_of(properties.get("KmsKeyArn")) != "AWS::KMS::Key":
            yield f"{name}: environment not under our key"


RULES = (
    tables,
    queues,
    log_groups,
    alarms,
    asynchronous_sources,
    tags,
    policies,
    gateway_responses,
    stages,
    functions,
)
