"""Applications as CloudFormation sees them: resources.yaml, and the package merged with edge.yaml, after SAM."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from deploy.__main__ import with_code
from deploy.packages import ROOT, Package

type Template = dict[str, Any]
type Value = Any  # a template's value is any JSON, or an intrinsic function


@dataclass(frozen=True, slots=True)
class Subject:
    """One application's two stacks. `edge` is empty where only one stack is looked at."""

    name: str
    resources: Template
    edge: Template

    def all_of(self, *kinds: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every resource of these types in both stacks, by logical name."""
        for template in (self.resources, self.edge):
            for name, resource in template.get("Resources", {}).items():
                if not kinds or resource["Type"] in kinds:
                    yield name, resource

    def target(self, value: Value) -> str:
        """The logical name of the resource that a reference leads to, through parameters and outputs; "" if to none."""
        name = _referred(value)
        if name in self.edge.get("Parameters", {}):
            return _referred(self.resources.get("Outputs", {}).get(name, {}).get("Value"))
        return name

    def kind_of(self, value: Value) -> str:
        """The type of the resource that a reference leads to; "" if to none."""
        found = dict(self.all_of()).get(self.target(value), {})
        return str(found.get("Type", ""))


def _referred(value: Value) -> str:
    if not isinstance(value, dict):
        return ""
    if "Ref" in value:
        return str(value["Ref"])
    got = value.get("Fn::GetAtt", "")
    return str(got[0] if isinstance(got, list) else got.split(".")[0])


def resources_of(app: str) -> Template:
    """resources.yaml with every intrinsic function in its long form."""
    return parsed((ROOT / app / "resources.yaml").read_text())


def parsed(text: str) -> Template:
    """A template's text as a dictionary."""
    template: Template = json.loads(json.dumps(yaml_parse(text)))  # type: ignore[no-untyped-call]  # SAM ships no types
    return template


class NoManagedPolicies(ManagedPolicyLoader):
    """SAM asks for AWS's managed policies; ours are our own."""

    def __init__(self) -> None:
        """Without a client: nobody is asked."""

    def load(self) -> dict[str, str]:
        return {}


def expanded(package: Package) -> Template:
    """The package's template after SAM, with the code somewhere in S3."""

    made = transform(with_code(package.template, "s3://bucket/code.zip"), {}, NoManagedPolicies())
    template: Template = json.loads(json.dumps(made))
    return template


def settled(template: Template, value: Value) -> Value:
    """A value with the parameters' defaults put in: Ref, Fn::If, Fn::Equals, Fn::Not, Condition."""
    if not isinstance(value, dict) or len(value) != 1:
        return value
    (function, given), *_ = value.items()
    if function == "Ref":
        return template.get("Parameters", {}).get(given, {}).get("Default", value)
    if function == "Condition":
        return settled(template, template["Conditions"][given])
    return _function(template, function, given, value)


def _function(template: Template, function: str, given: Value, value: Value) -> Value:
    if function == "Fn::If":
        condition, yes, no = given
        return settled(template, yes if settled(template, {"Condition": condition}) else no)
    if function == "Fn::Equals":
        return settled(template, given[0]) == settled(template, given[1])
    if function == "Fn::Not":
        return not settled(template, given[0])
    return value


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    """A policy's statements, those behind an Fn::If included."""
    found = []
    for statement in document["Statement"]:
        branches = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
        found += [branch for branch in branches if "Effect" in branch]
    return found


def words(value: Value) -> list[str]:
    """A string or a list of strings, each as text; Fn::Sub as its pattern, other functions as `{}`."""
    values = value if isinstance(value, list) else [value]
    return [_text(one) for one in values]


def _text(value: Value) -> str:
    if isinstance(value, dict):
        pattern = value.get("Fn::Sub", "{}")
        return str(pattern[0] if isinstance(pattern, list) else pattern)
    return str(value)


def source_words(*folders: Path) -> set[str]:
    """Every word of the Python code in these folders, in upper case."""
    files = [file for folder in folders for file in folder.rglob("*.py")]
    return {word.upper() for file in files for word in re.findall(r"\w+", file.read_text())}
