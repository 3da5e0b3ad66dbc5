"""Reads CloudFormation templates, YAML with short intrinsic functions, for what the engine's CloudFormation skips."""

from pathlib import Path
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """YAML in which `!Ref x` is {"Ref": "x"} and `!Sub x` is {"Fn::Sub": "x"}."""


def _intrinsic(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in {"Ref", "Condition"} else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)  # noqa: S101  # YAML has no fourth kind
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _intrinsic)


def load(file: Path) -> dict[str, Any]:
    """The template as a dictionary."""
    template: dict[str, Any] = yaml.load(file.read_text(), Loader=_Loader)  # noqa: S506  # a SafeLoader
    return template


def resources(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The properties of the template's resources of one type, by logical name."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template.get("Resources", {}).items()
        if resource.get("Type") == kind
    }
