"""Where the local stack finds applications, keeps state and listens; the one module here that reads the environment."""

import os
from pathlib import Path

HOST = "127.0.0.1"
REGION = "us-east-1"
ACCOUNT = "000000000000"
STAGE = "local"
ENGINE = "engine"
DEFAULT_PORTS = {
    ENGINE: 4566,
    "spa_creator": 8001,
    "log_service": 8002,
    "cspm_monitor": 8003,
    "ai_gateway": 8004,
    "servicenow_bridge": 8005,
}
FIRST_OTHER_PORT = 8010
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
REPOSITORY = Path(__file__).resolve().parent.parent
BYTECODE = REPOSITORY / ".venv" / "bytecode"  # halves every start, and leaves nothing in the folders that are zipped
SHARED_FOLDERS = ("common", "log_client")


def root() -> Path:
    """The folder that holds the applications: this repository, or another one for a test."""
    return Path(os.environ.get("QUINTET_ROOT", REPOSITORY)).resolve()


def state() -> Path:
    """The folder kept between runs."""
    return root() / ".local"


def stack_file() -> Path:
    """What is running, for programs; it exists while the stack is ready."""
    return state() / "stack.json"


def applications() -> list[str]:
    """The names of the applications that exist: folders with an app.py."""
    return sorted(found.parent.name for found in root().glob("*/app.py"))


def engine_python() -> Path:
    """The interpreter of the engine's own environment."""
    return REPOSITORY / ".venv-engine" / "bin" / "python"


def port(part: str) -> int:
    """The port of a part; `LOG_SERVICE_PORT=9002` moves it.

    Raises:
        ValueError: The variable does not hold a port.
    """
    variable = f"{part.upper()}_PORT"
    given = os.environ.get(variable)
    if given is None:
        return DEFAULT_PORTS.get(part) or _other_port(part)
    if not given.isdecimal() or not 0 < int(given) < 2**16:
        raise ValueError(f"{variable} must be a port between 1 and 65535, not {given!r}.")
    return int(given)


def _other_port(application: str) -> int:
    others = [name for name in applications() if name not in DEFAULT_PORTS]
    return FIRST_OTHER_PORT + others.index(application)


def process() -> int:
    """This process."""
    return os.getpid()


def adopt(environment: dict[str, str]) -> None:
    """Make this process's environment the given one."""
    os.environ.clear()
    os.environ.update(environment)


def color() -> bool:
    """Whether the user allows colour: https://no-color.org."""
    return not os.environ.get("NO_COLOR")


def child_environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """The environment of a part: this one, without anything that names another AWS account, and `extra`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    python = {"PYTHONPATH": str(REPOSITORY), "PYTHONPYCACHEPREFIX": str(BYTECODE), "PYTHONUNBUFFERED": "1"}
    return inherited | python | {"AWS_EC2_METADATA_DISABLED": "true"} | (extra or {})


def application_environment(endpoint: str, outputs: dict[str, str]) -> dict[str, str]:
    """What the stack tells an application: its stage, the engine and the stack's outputs."""
    engine = {"AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}
    return {"STAGE": STAGE} | engine | CREDENTIALS | outputs
