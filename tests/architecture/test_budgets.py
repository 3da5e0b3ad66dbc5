"""Files and functions stay small enough to read."""

import ast
from pathlib import Path
from statistics import median

import pytest

from tests.architecture.sources import ROOT, applications, modules, parsed, tracked

LONGEST_MODULE = 300
LONGEST_APP = 200
LONGEST_FUNCTION = 25
HIGHEST_MEDIAN = 10
VAGUE = {"utils", "util", "helpers", "helper", "manager", "misc", "stuff"}
CODE = modules("common", "local", "log_client", "bench", "deploy", *applications())


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    whole = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        whole -= (first.end_lineno or first.lineno) - first.lineno + 1
    return whole


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_a_module_is_short_and_says_what_lives_in_it(path: Path) -> None:
    most = LONGEST_APP if path.name == "app.py" else LONGEST_MODULE

    assert len(path.read_text().splitlines()) <= most
    assert ast.get_docstring(parsed(path))


def test_no_function_is_long() -> None:
    long = {f"{name_of(p)}:{f.lineno} {f.name}": length(f) for p in CODE for f in functions(p)}

    assert {name: lines for name, lines in long.items() if lines > LONGEST_FUNCTION} == {}


def test_the_median_function_is_a_few_lines() -> None:
    lengths = [length(function) for path in CODE for function in functions(path)]

    assert median(lengths) <= HIGHEST_MEDIAN


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [name_of(path) for path in tracked() if path.stem in VAGUE] == []


def test_nothing_is_left_to_do_later() -> None:
    unfinished = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error", "unittest" + ".mock")
    found = [
        f"{name_of(p)}: {word}"
        for p in modules("tests", "common", "local", *applications())
        for word in unfinished
        if word in p.read_text()
    ]

    assert found == []
