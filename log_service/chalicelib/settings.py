"""What log_service's environment must say."""

import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from common import settings as common_settings

from .domain import Retention, level_of

Days = Annotated[int, Field(ge=1, le=18_250)]
LOCAL_STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/simple-log-service-logs-local/stream/latest"


class RetentionRules(BaseModel):
    """Days per level and per service, where they differ from RETENTION_DAYS."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: dict[str, Days] = {}
    services: dict[str, Days] = {}

    @field_validator("levels")
    @classmethod
    def _known(cls, value: dict[str, int]) -> dict[str, int]:
        return {level_of(name).name: days for name, days in value.items()}


class Settings(common_settings.Settings):
    """Read once, by wiring."""

    dynamodb_table_name: str = Field(min_length=3, description="The log records")
    services_table_name: str = Field(min_length=3, description="Which services write, how much")
    idempotency_table_name: str = Field(min_length=3, description="Answers kept for Idempotency-Key")
    retention_days: Days = 90
    retention_rules: RetentionRules = RetentionRules()
    recent_shards: Annotated[int, Field(ge=1, le=64, description="May grow, never shrink")] = 4

    @field_validator("retention_rules", mode="before")
    @classmethod
    def _parsed(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError("must be a JSON object") from None

    @property
    def retention(self) -> Retention:
        """The rules as the domain knows them."""
        levels = {level_of(name): days for name, days in self.retention_rules.levels.items()}
        return Retention(self.retention_days, levels, self.retention_rules.services)


def logs_stream_arn() -> str:
    """The stream that `count_records` listens to; a decorator needs it at import."""
    return common_settings.at_import("LOGS_STREAM_ARN", LOCAL_STREAM)
