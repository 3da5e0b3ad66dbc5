"""What every test may use: the AWS engine, DynamoDB Local, and each application loaded beside the others."""

import importlib
import importlib.util
import pkgutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

pytest_plugins = ["tests.support.engine"]
ROOT = Path(__file__).parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"


def pytest_configure() -> None:
    """Listen to Ctrl-C, and so let every child do: a job in a shell's background starts with it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _known_as_chalicelib(application: str) -> Iterator[None]:
    """While an `app.py` is imported, `chalicelib` is a second name of `<application>.chalicelib` and all in it."""
    package = importlib.import_module(f"{application}.chalicelib")
    names = [module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
    aliases = {
        name.removeprefix(f"{application}."): importlib.import_module(name) for name in (package.__name__, *names)
    }
    sys.modules.update(aliases)
    try:
        yield
    finally:
        for alias in aliases:
            del sys.modules[alias]


def load(application: str) -> ModuleType:
    """The module `<application>/app.py` under a name of its own: five modules called `app` live in one process."""
    name = f"{application}.app"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / application / "app.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with _known_as_chalicelib(application):
            spec.loader.exec_module(module)
        sys.modules[name] = module
    return sys.modules[name]


@pytest.fixture
def shared_data() -> Path:
    """Real inputs where they exist; a test that takes them says so by asking for this."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real inputs lie beside the developers' checkout only")
    return SHARED_DATA
