"""Stacks are created, updated and read; people are told what went wrong. Against the engine of the local stack."""

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from deploy.__main__ import checked, resources, stack_name, values, with_code
from deploy.packages import ROOT
from deploy.stacks import DeployError, apply, outputs_of, parameters_for, variables
from tests.support.engine import Engine

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

LOG_SERVICE = ROOT / "log_service"
TOPIC = """
Parameters: {Name: {Type: String}}
Resources: {T: {Type: %s, Properties: {}}}
Outputs: {TheName: {Value: !Ref Name}}
"""


@pytest.fixture
def client(engine: Engine) -> "CloudFormationClient":
    made: CloudFormationClient = engine.client("cloudformation")
    return made


def template(kind: str = "AWS::SNS::Topic") -> dict[str, str]:
    return {"TemplateBody": TOPIC % kind}


def test_resources_of_log_service_are_created_and_their_outputs_are_its_environment(
    client: "CloudFormationClient",
) -> None:
    outputs = variables(resources(client, LOG_SERVICE, "dev", {}))

    assert outputs["DYNAMODB_TABLE_NAME"] == "simple-log-service-logs-dev"
    assert re.fullmatch(r"arn:aws:dynamodb:.*:table/simple-log-service-logs-dev/stream/.+", outputs["LOGS_STREAM_ARN"])


def test_applying_the_same_again_changes_nothing(client: "CloudFormationClient") -> None:
    first = apply(client, "twice", template(), ["Name"], {"Name": "a"})

    assert apply(client, "twice", template(), ["Name"], {"Name": "a"}) == first == {"TheName": "a"}


def test_an_update_keeps_parameters_that_nobody_gave(client: "CloudFormationClient") -> None:
    apply(client, "kept", template(), ["Name"], {"Name": "a"})

    apply(client, "kept", template(), ["Name"], {})

    assert outputs_of(client, "kept") == {"TheName": "a"}


def test_a_stack_that_is_not_there_has_no_outputs(client: "CloudFormationClient") -> None:
    assert outputs_of(client, "nowhere") == {}


def test_a_failing_resource_is_named(client: "CloudFormationClient") -> None:
    with pytest.raises(DeployError, match="failing"):
        apply(client, "failing", template("AWS::Nothing::Such"), ["Name"], {"Name": "a"})


def test_the_caller_roles_are_narrowed_once_the_api_is_known(client: "CloudFormationClient") -> None:
    body = TOPIC.replace("TheName", "RestApiId")
    apply(
        client, stack_name(LOG_SERVICE, "prod"), {"TemplateBody": body % "AWS::SNS::Topic"}, ["Name"], {"Name": "api1"}
    )

    resources(client, LOG_SERVICE, "prod", {})

    stack = client.describe_stacks(StackName=stack_name(LOG_SERVICE, "prod", "resources"))["Stacks"][0]
    assert {"ParameterKey": "RestApiId", "ParameterValue": "api1"} in stack["Parameters"]


def test_only_declared_parameters_are_sent_and_known_ones_keep_their_value() -> None:
    sent = parameters_for(["A", "B", "C"], {"A": "1", "Z": "9"}, previous=["B", "Y"])

    assert sent == [{"ParameterKey": "A", "ParameterValue": "1"}, {"ParameterKey": "B", "UsePreviousValue": True}]


@pytest.mark.parametrize(
    ("output", "variable"),
    [("LogsStreamArn", "LOGS_STREAM_ARN"), ("RestAPIId", "REST_API_ID"), ("S3ArchiveBucket", "S3_ARCHIVE_BUCKET")],
)
def test_an_output_is_a_variable_in_upper_snake(output: str, variable: str) -> None:
    assert variables({output: "x"}) == {variable: "x"}


def test_a_word_without_a_value_is_refused() -> None:
    assert values(["A=1", "B=x=y"]) == {"A": "1", "B": "x=y"}
    with pytest.raises(DeployError, match="AlarmEmail"):
        values(["AlarmEmail"])


def test_a_misspelt_parameter_is_refused() -> None:
    assert checked(LOG_SERVICE, {"AlarmEmail": "a@example.com", "ThrottleRate": "1"})
    with pytest.raises(DeployError, match="AlarmEmial"):
        checked(LOG_SERVICE, {"AlarmEmial": "a@example.com"})


def test_functions_take_the_uploaded_code_and_the_template_stays_as_it_was() -> None:
    before: dict[str, Any] = {
        "Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "./deployment.zip"}}}
    }

    after = with_code(before, "s3://bucket/key.zip")

    assert after["Resources"]["F"]["Properties"]["CodeUri"] == "s3://bucket/key.zip"
    assert before["Resources"]["F"]["Properties"]["CodeUri"] == "./deployment.zip"


def test_a_wrong_call_is_answered_with_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy", "release", "log_service", "prod"],
        cwd=ROOT,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "artefact bucket" in done.stderr
