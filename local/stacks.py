"""Deploys each application's resources.yaml through the engine's CloudFormation and reads the outputs."""

import re
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local import aws, tables, templates
from local.settings import STAGE
from local.waiting import until

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

SECONDS = 30
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class StackFailed(RuntimeError):
    """A template could not be applied; the text says which resource and why."""


def name_of(application: str) -> str:
    """The stack of an application; CloudFormation allows no underscore."""
    return f"{application.replace('_', '-')}-{STAGE}"


def apply(project: Path, endpoint: str) -> dict[str, str]:
    """Create or update the stack of the application in `project`; returns its outputs as environment variables.

    Raises:
        StackFailed: A resource failed, or the engine cannot make this update.
    """
    file = project / "resources.yaml"
    if not file.exists():
        return {}
    template = templates.load(file)
    cloudformation: CloudFormationClient = aws.client("cloudformation", endpoint)
    name = name_of(project.name)
    if _submit(cloudformation, name, file.read_text(), _parameters(template)):
        _settle(cloudformation, name)
    _finish_tables(cloudformation, endpoint, name, template)
    return outputs(project.name, endpoint)


def outputs(application: str, endpoint: str) -> dict[str, str]:
    """The stack's outputs as environment variables: LogsStreamArn is LOGS_STREAM_ARN; empty without a stack."""
    stack = _describe(aws.client("cloudformation", endpoint), name_of(application))
    found = (stack or {}).get("Outputs", [])
    return {WORD.sub("_", output["OutputKey"]).upper(): output["OutputValue"] for output in found}


def _parameters(template: dict[str, Any]) -> list[dict[str, str]]:
    return [{"ParameterKey": "Stage", "ParameterValue": STAGE}] if "Stage" in template.get("Parameters", {}) else []


def _submit(cloudformation: "CloudFormationClient", name: str, body: str, parameters: list[dict[str, str]]) -> bool:
    """Start a create or an update; false when there is nothing to do."""
    stack = _describe(cloudformation, name)
    if stack and stack["StackStatus"] in {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}:
        cloudformation.delete_stack(StackName=name)
        until(lambda: _describe(cloudformation, name) is None, SECONDS, f"stack {name} to be deleted")
        stack = None
    request = cloudformation.update_stack if stack else cloudformation.create_stack
    arguments: dict[str, Any] = {"StackName": name, "TemplateBody": body, "Parameters": parameters}
    arguments["Capabilities"] = CAPABILITIES
    try:
        request(**arguments)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return False
        raise StackFailed(_advice(name, error.response["Error"].get("Message", str(error)))) from error
    return True


def _settle(cloudformation: "CloudFormationClient", name: str) -> None:
    began = monotonic()
    while (status := (_describe(cloudformation, name) or {}).get("StackStatus", "")).endswith("IN_PROGRESS"):
        until(lambda: not _in_progress(cloudformation, name), SECONDS - (monotonic() - began), f"stack {name}")
    if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise StackFailed(_advice(name, _reasons(cloudformation, name) or status))


def _in_progress(cloudformation: "CloudFormationClient", name: str) -> bool:
    return bool((_describe(cloudformation, name) or {}).get("StackStatus", "").endswith("IN_PROGRESS"))


def _advice(name: str, reason: str) -> str:
    return (
        f"Stack {name} was not applied: {reason}\n"
        "When the engine cannot make this update, or its resources were changed by hand, start from nothing: "
        "stop the stack, `make clean-state`, start again."
    )


def _reasons(cloudformation: "CloudFormationClient", name: str) -> str:
    """The failed resources of the last operation and why; the engine lists the newest event first."""
    failed = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
        for event in cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        if event.get("ResourceStatus", "").endswith("FAILED") and event.get("LogicalResourceId") != name
    ]
    return "; ".join(dict.fromkeys(failed[:3]))


def _describe(cloudformation: "CloudFormationClient", name: str) -> dict[str, Any] | None:
    try:
        stack: Any = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else dict(stack)


def _finish_tables(cloudformation: "CloudFormationClient", endpoint: str, name: str, template: dict[str, Any]) -> None:
    made = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    physical = {resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "") for resource in made}
    dynamodb = aws.client("dynamodb", endpoint)
    for logical, declared in templates.resources(template, "AWS::DynamoDB::Table").items():
        if physical.get(logical):
            tables.ensure(dynamodb, physical[logical], declared, physical)
