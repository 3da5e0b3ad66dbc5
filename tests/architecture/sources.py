"""The project's own Python files, as the rules see them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is in the project or about to be, links left out."""
    listed = subprocess.run(  # git, with fixed arguments
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return tuple(path for path in map(ROOT.joinpath, listed) if path.is_file() and not path.is_symlink())


def applications() -> list[str]:
    """The folders that hold an application."""
    return sorted(path.parent.name for path in ROOT.glob("*/app.py"))


def modules(*under: str) -> list[Path]:
    """The Python files below these folders."""
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in under]


@cache
def parsed(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(path.read_text())


def imports(path: Path) -> Iterator[str]:
    """The absolute dotted names that a module imports, wherever in it; relative ones are resolved to `chalicelib.x`."""
    package = path.relative_to(ROOT).parts[1:-1] if path.relative_to(ROOT).parts[0] in applications() else ()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            whole = ".".join(part for part in (base, node.module) if part)
            yield from ([f"{whole}.{alias.name}" for alias in node.names] if not node.module else [whole])
