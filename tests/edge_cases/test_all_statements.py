"""No statement is forgotten: each number has a test here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

LAST = 215


def numbers(path: Path) -> Iterator[int]:
    """Yield the numbers in the `statement` marks of the tests in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith(
                "mark.statement"
            ):
                yield from (ast.literal_eval(argument) for argument in decorator.args)


def test_every_statement_has_a_test() -> None:
    shown = {n for path in Path(__file__).parent.glob("test_*.py") for n in numbers(path)}
    assert shown == set(range(1, LAST + 1))
