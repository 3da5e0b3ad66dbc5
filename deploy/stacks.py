"""CloudFormation stacks: create or update one, wait for it, read its outputs."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError, WaiterError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
type Waiter = Literal["stack_create_complete", "stack_update_complete"]
WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class DeployError(Exception):
    """Nothing more can be done here; the text says to the person at the terminal what happened."""


def variables(outputs: Mapping[str, str]) -> dict[str, str]:
    """Outputs as environment variables: LogsStreamArn becomes LOGS_STREAM_ARN."""
    return {WORD.sub("_", name).upper(): value for name, value in outputs.items()}


def outputs_of(client: "CloudFormationClient", name: str) -> dict[str, str]:
    """A stack's outputs; none when there is no such stack."""
    stack = _describe(client, name)
    return {output["OutputKey"]: output["OutputValue"] for output in (stack or {}).get("Outputs", [])}


def parameters_for(
    declared: Iterable[str], given: Mapping[str, str], previous: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """What to send: the given values that the template declares; what else the stack had keeps its value."""
    names = set(declared)
    kept = (names & set(previous)) - set(given)
    return [
        *({"ParameterKey": name, "ParameterValue": given[name]} for name in sorted(names & set(given))),
        *({"ParameterKey": name, "UsePreviousValue": True} for name in sorted(kept)),
    ]


def apply(
    client: "CloudFormationClient",
    name: str,
    template: Mapping[str, str],
    declared: Iterable[str],
    given: Mapping[str, str],
) -> dict[str, str]:
    """Create or update a stack, wait, return its outputs. `template` is {"TemplateBody": ...} or {"TemplateURL": ...}.

    Raises:
        DeployError: A resource failed; the text names the first ones.
    """
    stack = _describe(client, name)
    previous = [parameter["ParameterKey"] for parameter in (stack or {}).get("Parameters", [])]
    request: dict[str, Any] = {
        "StackName": name,
        "Parameters": parameters_for(declared, given, previous),
        "Capabilities": CAPABILITIES,
        **template,
    }
    start = client.create_stack if stack is None else client.update_stack
    if _started(start, request):
        _wait(client, "stack_create_complete" if stack is None else "stack_update_complete", name)
    return outputs_of(client, name)


def _started(start: Callable[..., Any], request: dict[str, Any]) -> bool:
    """False when there is nothing to change."""
    try:
        start(**request)
    except ClientError as error:
        text = error.response["Error"].get("Message", "")
        if "No updates are to be performed" in text:
            return False
        raise DeployError(f"Stack {request['StackName']}: {text}") from error
    return True


def _wait(client: "CloudFormationClient", waiter: Waiter, name: str) -> None:
    try:
        client.get_waiter(waiter).wait(StackName=name, WaiterConfig={"Delay": 5, "MaxAttempts": 360})
    except WaiterError as error:
        raise DeployError(f"Stack {name} failed. {_reasons(client, name)}") from error


def _reasons(client: "CloudFormationClient", name: str) -> str:
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if event.get("ResourceStatus", "").endswith("_FAILED")]
    return "; ".join(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}" for event in failed[-3:])


def _describe(client: "CloudFormationClient", name: str) -> dict[str, Any] | None:
    try:
        return dict(client.describe_stacks(StackName=name)["Stacks"][0])
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        raise
