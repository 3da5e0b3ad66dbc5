"""The doors `make deploy`, `make release` and `make package`."""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from samtranslator.yaml_helper import yaml_parse

from deploy import packages, stacks
from deploy.stacks import DeployError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

Values = Mapping[str, str]


def resources(client: "CloudFormationClient", project: Path, stage: str, given: Values) -> dict[str, str]:
    """Apply resources.yaml. Once the application's own stack is there, the caller roles are narrowed to its API."""
    text = (project / "resources.yaml").read_text()
    known = {**stacks.outputs_of(client, stack_name(project, stage)), **given, "Stage": stage}
    declared = yaml_parse(text)["Parameters"]  # type: ignore[no-untyped-call]  # SAM ships no types
    return stacks.apply(client, stack_name(project, stage, "resources"), {"TemplateBody": text}, declared, known)


def deploy(client: "CloudFormationClient", project: Path, stage: str, given: Values) -> None:
    """resources.yaml, then `chalice deploy`: quick, for development. What edge.yaml declares is not in it."""
    environment = stacks.variables(resources(client, project, stage, given))
    made = packages.package(project, stage, environment, packages.BUILD / project.name / stage)
    packages.chalice(made.source, environment, "deploy", "--stage", stage)


def release(client: "CloudFormationClient", project: Path, stage: str, given: Values, bucket: str) -> None:
    """resources.yaml, then the package merged with edge.yaml through CloudFormation: what production uses."""
    outputs = resources(client, project, stage, given)
    made = packages.package(project, stage, stacks.variables(outputs), packages.BUILD / project.name / stage)
    known = {**outputs, **given, "Stage": stage}
    url = upload(made, bucket, f"{project.name}/{stage}")
    stacks.apply(client, stack_name(project, stage), {"TemplateURL": url}, made.template.get("Parameters", {}), known)
    resources(client, project, stage, given)


def upload(made: packages.Package, bucket: str, prefix: str) -> str:
    """Put code and template into the artefact bucket, named by their content; returns the template's address."""
    s3 = boto3.client("s3")
    code = made.code.read_bytes()
    key = f"{prefix}/{hashlib.sha256(code).hexdigest()}.zip"
    s3.put_object(Bucket=bucket, Key=key, Body=code)
    text = json.dumps(with_code(made.template, f"s3://{bucket}/{key}")).encode()
    name = f"{prefix}/{hashlib.sha256(text).hexdigest()}.json"
    s3.put_object(Bucket=bucket, Key=name, Body=text)
    return f"{s3.meta.endpoint_url}/{bucket}/{name}"


def with_code(template: dict[str, Any], uri: str) -> dict[str, Any]:
    """The template whose functions take their code from `uri`."""
    made: dict[str, Any] = json.loads(json.dumps(template))
    for resource in made["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = uri
    return made


def stack_name(project: Path, stage: str, part: str = "") -> str:
    """`log-service-prod`, or `log-service-prod-resources` for what keeps state; a stack name has no underscore."""
    return "-".join(filter(None, [project.name.replace("_", "-"), stage, part]))


def values(words: list[str]) -> dict[str, str]:
    """`Name=value` words as a dictionary."""
    if wrong := [word for word in words if "=" not in word]:
        raise DeployError(f"Parameters are written Name=value, not {', '.join(wrong)}.")
    return dict(word.split("=", 1) for word in words)


def checked(project: Path, given: Values) -> Values:
    """The given parameters, none misspelt."""
    texts = [(project / name).read_text() for name in ("resources.yaml", "edge.yaml")]
    declared = {name for text in texts for name in yaml_parse(text)["Parameters"]}  # type: ignore[no-untyped-call]
    if unknown := sorted(set(given) - declared):
        raise DeployError(f"No template of {project.name} has a parameter {', '.join(unknown)}.")
    return given


def arguments(words: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="deploy", description=__doc__)
    parser.add_argument("door", choices=["deploy", "release", "package"])
    parser.add_argument("app", type=lambda name: packages.ROOT / name)
    parser.add_argument("stage")
    parser.add_argument("--bucket", help="artefact bucket of this region, for release")
    parser.add_argument("parameters", nargs="*", help="template parameters, Name=value")
    return parser.parse_args(words)


def main(words: list[str]) -> None:
    """Open one door."""
    asked = arguments(words)
    if asked.door == "package":
        packages.package(
            asked.app,
            asked.stage,
            {"AWS_DEFAULT_REGION": "us-east-1", **os.environ},
            packages.BUILD / asked.app.name / asked.stage,
        )
        return
    client = boto3.client("cloudformation")
    given = checked(asked.app, values(asked.parameters))
    if asked.door == "deploy":
        deploy(client, asked.app, asked.stage, given)
    elif not asked.bucket:
        raise DeployError("release needs the artefact bucket: make release APP=... STAGE=... BUCKET=...")
    else:
        release(client, asked.app, asked.stage, given, asked.bucket)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except DeployError as error:
        sys.exit(str(error))
