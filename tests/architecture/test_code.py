"""The house rules that a syntax tree shows: short functions, docstrings, the design's words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import modules, name, parsed

Function = ast.FunctionDef | ast.AsyncFunctionDef
Named = Function | ast.ClassDef

FORBIDDEN = {"job", "task", "user", "manager", "helper", "util"}


def declared() -> Iterator[tuple[Path, Named]]:
    """Yield every class and function of Deputy, nested ones too."""
    for path in modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, Named):
                yield path, node


def public(path: Path) -> Iterator[tuple[str, ast.Module | Named]]:
    """Yield a module with its public classes and functions. Methods are left out: `ports.py` tells of most."""
    module = parsed(path)
    yield name(path), module
    for node in module.body:
        if isinstance(node, Named) and not node.name.startswith("_"):
            yield f"{name(path)}: {node.name}", node


def words(identifier: str) -> set[str]:
    """Return the words of an identifier, in lower case and the singular."""
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)
    return {word.lower() for word in found} | {word.lower().removesuffix("s") for word in found}


def test_words_are_found_in_every_spelling() -> None:
    assert words("run_jobs") & words("JobUtils") & words("JOB") == {"job"}
    assert not words("jobber_username") & FORBIDDEN


def test_no_function_is_longer_than_60_lines() -> None:
    long = {
        f"{name(path)}: {node.name}": node.end_lineno - node.lineno + 1
        for path, node in declared()
        if isinstance(node, Function) and node.end_lineno and node.end_lineno - node.lineno >= 60
    }
    assert long == {}


def test_everything_public_says_what_it_is() -> None:
    silent = [where for path in modules() for where, node in public(path) if not ast.get_docstring(node)]
    assert silent == [], f"without a docstring: {', '.join(silent)}"


def test_nothing_is_named_by_a_word_the_design_forbids() -> None:
    named = [(name(path), node.name) for path, node in declared()]
    named += [(name(path), part) for path in modules() for part in (path.parent.name, path.stem)]
    assert [(where, one) for where, one in named if words(one) & FORBIDDEN] == []
