"""What a template says of its tables and the engine's CloudFormation skips: TTL, recovery, encryption, insights."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Properties = dict[str, Any]


def ensure(dynamodb: "DynamoDBClient", table: str, declared: Properties, physical: dict[str, str]) -> None:
    """Bring one table to what its template declares; doing it again changes nothing.

    `physical` has the names of the stack's resources by their logical names, for the key that a table refers to.
    """
    _time_to_live(dynamodb, table, declared.get("TimeToLiveSpecification"))
    _recovery(dynamodb, table, declared.get("PointInTimeRecoverySpecification"))
    _encryption(dynamodb, table, declared.get("SSESpecification"), physical)
    _insights(dynamodb, table, declared.get("ContributorInsightsSpecification"))
    for index in declared.get("GlobalSecondaryIndexes", []):
        _insights(dynamodb, table, index.get("ContributorInsightsSpecification"), index["IndexName"])


def _time_to_live(dynamodb: "DynamoDBClient", table: str, declared: Properties | None) -> None:
    now = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    wanted = declared if declared and declared.get("Enabled", True) else None
    current = now.get("AttributeName") if now["TimeToLiveStatus"] == "ENABLED" else None
    if current == (wanted and wanted["AttributeName"]):
        return
    if current:
        off = {"AttributeName": current, "Enabled": False}
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=off)  # type: ignore[arg-type]  # a dict of a template
    if wanted:
        on = {"AttributeName": wanted["AttributeName"], "Enabled": True}
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=on)  # type: ignore[arg-type]  # as above


def _recovery(dynamodb: "DynamoDBClient", table: str, declared: Properties | None) -> None:
    enabled = bool(declared and declared.get("PointInTimeRecoveryEnabled"))
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    if backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == ("ENABLED" if enabled else "DISABLED"):
        return
    wanted = {"PointInTimeRecoveryEnabled": enabled}
    dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=wanted)  # type: ignore[arg-type]  # as above


def _encryption(dynamodb: "DynamoDBClient", table: str, declared: Properties | None, physical: dict[str, str]) -> None:
    if not declared or not declared.get("SSEEnabled"):
        return
    if dynamodb.describe_table(TableName=table)["Table"].get("SSEDescription", {}).get("Status") == "ENABLED":
        return
    key = _key(declared.get("KMSMasterKeyId"), physical)
    wanted = {"Enabled": True, "SSEType": "KMS"} | ({"KMSMasterKeyId": key} if key else {})
    dynamodb.update_table(TableName=table, SSESpecification=wanted)  # type: ignore[arg-type]  # as above


def _key(reference: str | Properties | None, physical: dict[str, str]) -> str | None:
    """The key itself: a template names it plainly, by !Ref Key or by !GetAtt Key.Arn."""
    if not isinstance(reference, dict):
        return reference
    target = reference.get("Ref") or reference.get("Fn::GetAtt") or ""
    logical = target[0] if isinstance(target, list) else target.partition(".")[0]
    return physical.get(logical)


def _insights(dynamodb: "DynamoDBClient", table: str, declared: Properties | None, index: str | None = None) -> None:
    if not declared or not declared.get("Enabled"):
        return
    name: Properties = {"TableName": table} | ({"IndexName": index} if index else {})
    if dynamodb.describe_contributor_insights(**name).get("ContributorInsightsStatus") not in {"ENABLED", "ENABLING"}:
        dynamodb.update_contributor_insights(**name, ContributorInsightsAction="ENABLE")
