"""Who is calling. The gateway is the outer wall; what stands here is the same code on one machine and on AWS."""

import re
from functools import lru_cache
from typing import Any

from common.errors import Unauthorized
from common.settings import Stage

SIGV4 = "AWS4-HMAC-SHA256"
LOCAL_CALLER = "local"
_SESSION = re.compile(r"^(arn:[a-z-]+:sts::\d+:assumed-role/[^/]+)/.+$")


def iam_caller(context: dict[str, Any], stage: Stage) -> str:
    """The principal that API Gateway authenticated by SigV4: a user's ARN, or a role's without its session's name.

    Outside stage `local` a request without one is refused (401), whatever the gateway let through.
    """
    arn = (context.get("identity") or {}).get("userArn")
    if arn:
        return _without_session(str(arn))
    if stage == "local":
        return LOCAL_CALLER
    raise Unauthorized("Sign the request with AWS Signature Version 4.", scheme=SIGV4)


@lru_cache(maxsize=256)
def _without_session(arn: str) -> str:
    return _SESSION.sub(r"\1", arn)
