"""Which applications a changed file belongs to."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from watchfiles import DefaultFilter, awatch

from local.settings import SHARED_FOLDERS

SUFFIXES = {".py", ".json", ".yaml"}
DEBOUNCE_MILLISECONDS = 150
STEP_MILLISECONDS = 50


class SourceFilter(DefaultFilter):
    """Code, configuration and templates; not what tools and Chalice write beside them."""

    ignore_dirs = (*DefaultFilter.ignore_dirs, "deployed", "deployments", "vendor")

    def __call__(self, change: object, path: str) -> bool:
        """Whether a change matters."""
        return Path(path).suffix in SUFFIXES and super().__call__(change, path)  # type: ignore[arg-type]  # passed through


def folders(root: Path, applications: Iterable[str]) -> list[Path]:
    """The folders to watch."""
    return [root / name for name in (*applications, *SHARED_FOLDERS) if (root / name).is_dir()]


def affected(changed: Iterable[str], root: Path, applications: list[str]) -> list[str]:
    """The applications that the changed files belong to; shared code belongs to all."""
    tops = {Path(path).relative_to(root).parts[0] for path in changed}
    return applications if tops & set(SHARED_FOLDERS) else [name for name in applications if name in tops]


async def changes(root: Path, applications: list[str], stop: asyncio.Event) -> AsyncIterator[set[str]]:
    """The paths of each burst of changes."""
    watched = awatch(
        *folders(root, applications),
        watch_filter=SourceFilter(),
        debounce=DEBOUNCE_MILLISECONDS,
        step=STEP_MILLISECONDS,
        stop_event=stop,
    )
    async for burst in watched:
        yield {path for _, path in burst}
