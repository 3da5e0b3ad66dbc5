"""The keys: how a record's attributes and partitions are named. See docs/adr/0004-log-keys.md."""

import zlib
from dataclasses import dataclass

from common.dynamodb import Wire

from ..domain import Filters, Level, Record, day_of

RECENT_INDEX = "RecentIndex"
SERVICE_LEVEL_INDEX = "ServiceLevelIndex"
LEVEL_INDEX = "LevelIndex"


@dataclass(frozen=True, slots=True)
class Tables:
    """The table of one stage, and over how many partitions a day's records are spread in the indexes by time."""

    logs: str
    recent_shards: int


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of the table (index None) or of an index."""

    index: str | None
    attribute: str
    value: str


def shard_of(identity: str, shards: int) -> int:
    """The shard comes from the identity, so that a retry writes the same keys."""
    return zlib.crc32(identity.encode()) % shards


def wire_item(record: Record, expires_at: int, shards: int) -> Wire:
    """The stored item, ready for the wire. Severe records get the keys of two sparse indexes more."""
    day, identity, level = day_of(record.instant), record.identity, record.level.name
    shard = shard_of(identity, shards)
    item: Wire = {
        "pk": {"S": f"{record.service_name}#{day}"},
        "sk": {"S": record.position},
        "recent_pk": {"S": f"{day}#{shard}"},
        "service_name": {"S": record.service_name},
        "timestamp": {"S": record.timestamp},
        "log_id": {"S": record.log_id},
        "log_type": {"S": record.log_type},
        "level": {"S": level},
        "message": {"S": record.message},
        "metadata": {"S": record.metadata},
        "caller": {"S": record.caller},
        "expires_at": {"N": str(expires_at)},
    }
    if record.level.is_severe:
        item["service_level_pk"] = {"S": f"{record.service_name}#{level}#{day}"}
        item["level_pk"] = {"S": f"{level}#{day}#{shard}"}
    return item


def partitions(filters: Filters, day: str, shards: int) -> list[Partition]:
    """The partitions that together hold every record of the day that the filters can want."""
    severe = sorted(filters.levels) if filters.only_severe else []
    match filters.service_name, severe:
        case str(name), []:
            return [Partition(None, "pk", f"{name}#{day}")]
        case str(name), _:
            return [_service_level(name, level, day) for level in severe]
        case _, []:
            return [Partition(RECENT_INDEX, "recent_pk", f"{day}#{shard}") for shard in range(shards)]
        case _:
            return [
                Partition(LEVEL_INDEX, "level_pk", f"{level.name}#{day}#{shard}")
                for level in severe
                for shard in range(shards)
            ]


def _service_level(name: str, level: Level, day: str) -> Partition:
    return Partition(SERVICE_LEVEL_INDEX, "service_level_pk", f"{name}#{level.name}#{day}")
