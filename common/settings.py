"""What the environment must say: the only module that reads it."""

import os
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

Stage = Literal["local", "dev", "prod"]


class ConfigurationError(Exception):
    """The environment is incomplete or wrong; the message names every variable at once."""


class Settings(BaseModel):
    """Variables that every application has. A field `log_level` is read from `LOG_LEVEL`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stage: Stage
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    allowed_origins: tuple[str, ...] = Field(default=(), description="Browser origins, separated by commas")

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read and check; raises ConfigurationError that names every variable that is missing or wrong."""
        source = os.environ if environment is None else environment
        given = {name: source[name.upper()] for name in cls.model_fields if name.upper() in source}
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            problems = "; ".join(f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
            raise ConfigurationError(f"The environment is not complete: {problems}") from None
        if settings.stage == "prod" and "*" in settings.allowed_origins:
            raise ConfigurationError("ALLOWED_ORIGINS: * is not taken in stage prod; name the origins")
        return settings


def at_import(name: str, default: str) -> str:
    """One variable that a decorator needs while the application is being imported."""
    return os.environ.get(name, default)
