"""Resource types that ministack's CloudFormation refuses and one machine does not need: accepted, not acted on."""

from typing import Any

from ministack.services.cloudformation import provisioners

TYPES = (
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::Backup::BackupSelection",
    "AWS::CloudTrail::Trail",
    "AWS::CloudWatch::AnomalyDetector",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::Config::ConfigRule",
    "AWS::Config::ConfigurationRecorder",
    "AWS::Config::DeliveryChannel",
    "AWS::EC2::EIP",
    "AWS::EC2::FlowLog",
    "AWS::EC2::NatGateway",
    "AWS::GuardDuty::Detector",
    "AWS::InspectorV2::Filter",
    "AWS::Logs::QueryDefinition",
    "AWS::Macie::Session",
    "AWS::SNS::TopicInlinePolicy",
    "AWS::SecretsManager::ResourcePolicy",
    "AWS::SecretsManager::RotationSchedule",
    "AWS::SecurityHub::Hub",
    "AWS::SecurityHub::Standard",
    "AWS::WAFv2::IPSet",
    "AWS::WAFv2::LoggingConfiguration",
    "AWS::WAFv2::WebACLAssociation",
    "AWS::XRay::SamplingRule",
)


def register() -> None:
    """Add the types that ministack does not have; one that it has gained since keeps its own handler."""
    for name in TYPES:
        provisioners._RESOURCE_HANDLERS.setdefault(name, {"create": _create, "delete": _delete})  # noqa: SLF001


def _create(logical_id: str, _properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    name = f"{stack}-{logical_id}"
    return name, {"Arn": f"arn:aws:local:us-east-1:000000000000:{name}", "Id": name}


def _delete(_physical_id: str, _properties: dict[str, Any]) -> None:
    """Nothing was made."""
