"""AWS clients of the local stack: root's credentials, one engine."""

from typing import Any

import boto3
from botocore.config import Config

from local.settings import REGION

CONFIG = Config(
    connect_timeout=2,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=25,
)


def client(service: str, endpoint: str, **config: Any) -> Any:  # noqa: ANN401  # boto3 makes its classes at run time
    """A client of one service of the engine at `endpoint`."""
    session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    merged = CONFIG.merge(Config(**config)) if config else CONFIG
    return session.client(service, endpoint_url=endpoint, config=merged)  # type: ignore[call-overload]  # any service
