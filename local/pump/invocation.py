"""Calls one handler of an application as Lambda does, and says when it failed."""

import logging
from typing import Any

from local.applications import Application, function

logger = logging.getLogger("pump")


class HandlerFailed(Exception):  # it reads as what happened
    """A handler raised; it is logged already."""


class Handler:
    """One handler by its name in the application."""

    def __init__(self, application: Application, name: str) -> None:
        self.name = name
        self.application = application.name
        self._call = application.app.handler_map[name]
        self._function = function(application, name)

    @property
    def timeout_seconds(self) -> int:
        """How long one call may take."""
        return self._function.timeout_seconds

    def __call__(self, event: dict[str, Any]) -> Any:  # noqa: ANN401  # a handler returns what it likes
        """The handler's return value.

        Raises:
            HandlerFailed: It raised.
        """
        context = self._function.context()
        try:
            result = self._call(event, context)
        except Exception as error:
            logger.exception("%s failed, request %s", self.name, context.aws_request_id)
            raise HandlerFailed(self.name) from error
        logger.info("%s done, request %s", self.name, context.aws_request_id)
        return result


def failed_items(result: object) -> set[str]:
    """The identifiers of a partial batch response; none when the handler returned anything else."""
    failures = result.get("batchItemFailures", []) if isinstance(result, dict) else []
    return {failure["itemIdentifier"] for failure in failures}
