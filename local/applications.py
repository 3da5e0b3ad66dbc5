"""Loads one Chalice application as `chalice local` does; all are called `app`, so each needs a process of its own."""

import logging
import os
import sys
import uuid
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from chalice.cli.factory import CLIFactory
from chalice.config import Config

from local.settings import ACCOUNT, REGION, STAGE

DEFAULT_TIMEOUT_SECONDS = 60
API_HANDLER = "api_handler"


class Application(NamedTuple):
    """A loaded application and its configuration of stage `local`."""

    name: str
    app: Any
    config: Config


def load(project: Path) -> Application:
    """Import the application in `project`; its configured environment variables are set first."""
    os.environ.setdefault("AWS_CHALICE_CLI_MODE", "true")
    os.chdir(project)
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("pump").setLevel(logging.INFO)
    factory = CLIFactory(str(project), environ=os.environ)
    config = factory.create_config_obj(chalice_stage_name=STAGE)
    return Application(project.name, config.chalice_app, config)


class Context:
    """What Lambda passes beside an event."""

    def __init__(self, function: "Function") -> None:
        name = function.name
        self._deadline = monotonic() + function.timeout_seconds
        self.function_name = name
        self.function_version = "$LATEST"
        self.invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        self.memory_limit_in_mb = function.memory_megabytes
        self.aws_request_id = str(uuid.uuid4())
        self.log_group_name = f"/aws/lambda/{name}"
        self.log_stream_name = "local"
        self.identity = None
        self.client_context = None

    def get_remaining_time_in_millis(self) -> int:
        """How long the handler may still run, in milliseconds, never below zero."""
        return max(0, round((self._deadline - monotonic()) * 1000))


class Function(NamedTuple):
    """How one function of an application is deployed."""

    name: str
    memory_megabytes: int
    timeout_seconds: int

    def context(self) -> Context:
        """The context of one call."""
        return Context(self)


def function(application: Application, handler: str) -> Function:
    """The function behind a handler, with its configured memory and time-out."""
    scoped = application.config.scope(STAGE, handler)
    suffix = "" if handler == API_HANDLER else f"-{handler}"
    name = f"{scoped.app_name}-{STAGE}{suffix}"
    return Function(name, scoped.lambda_memory_size, scoped.lambda_timeout or DEFAULT_TIMEOUT_SECONDS)
