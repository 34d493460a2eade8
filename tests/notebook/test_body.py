"""The class of a cell is an ordinary class whose code stands in the cell."""

import inspect
import linecache
import traceback

import pytest

from djupyter.notebook.body import build_class, compile_body
from djupyter.notebook.cell import Cell, parse_cell

FILENAME = "<cell-7>"


class Base:
    """Stands for a tier."""

    def make(self, key: object) -> object:
        return key


@pytest.fixture
def build():
    """Build the class of a cell as the magic does, with its source where Python looks for it."""

    def build(cell: Cell, namespace: dict[str, object] | None = None) -> type:
        lines = [line + "\n" for line in cell.lines]
        linecache.cache[FILENAME] = (len("".join(lines)), None, lines, FILENAME)
        names = {"__name__": "__main__"} if namespace is None else namespace
        return build_class(cell, FILENAME, Base, names)

    yield build
    linecache.cache.pop(FILENAME, None)


def test_a_method_has_its_qualified_name_and_its_place(build):
    stat = build(parse_cell("Stat : Computed", "a : int32\n\ndef make(self, key):\n    return 1"))
    assert stat.make.__qualname__ == "Stat.make"
    assert stat.make.__code__.co_firstlineno == 4
    assert (stat.__name__, stat.__qualname__, stat.__module__) == ("Stat", "Stat", "__main__")


def test_a_part_is_named_inside_its_master(build):
    part = build(parse_cell("Session.Trial", "trial : int16"))
    assert (part.__name__, part.__qualname__) == ("Trial", "Session.Trial")
    assert part.definition == "-> master\ntrial : int16"


def test_the_source_of_a_method_is_found(build):
    cell = parse_cell("A : Computed", "a : int32\n@property\ndef x(self):\n    return 1\n\ny = 2")
    assert inspect.getsource(build(cell).x.fget) == "@property\ndef x(self):\n    return 1\n"


def test_a_traceback_points_into_the_cell(build):
    cell = parse_cell("A : Computed", "a : int32\ndef make(self, key):\n    return 1 / 0")
    with pytest.raises(ZeroDivisionError) as caught:
        build(cell)().make({})
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (frame.filename, frame.lineno, frame.line) == (FILENAME, 4, "return 1 / 0")


def test_imports_of_the_body_are_visible_in_methods_and_in_the_notebook(build):
    namespace: dict[str, object] = {}
    cell = parse_cell(
        "A : Computed",
        "a : int32\n"
        "import math as m\n"
        "try:\n    import tomllib\nexcept ImportError:\n    tomllib = None\n"
        "half = m.pi / 2\n"
        "def make(self, key):\n    return m.floor(self.half), tomllib.__name__",
    )
    assert build(cell, namespace)().make({}) == (1, "tomllib")
    assert "m" in namespace
    assert not {"A", "half", "__dj_base__"} & set(namespace)


def test_methods_see_the_namespace_and_their_base_class(build):
    cell = parse_cell(
        "A : Computed", "a : int32\ndef make(self, k):\n    return super().make(k + n)"
    )
    assert build(cell, {"n": 2})().make(1) == 3


def test_a_future_import_counts_for_the_class(build):
    cell = parse_cell(
        "A : Computed",
        "a : int32\nfrom __future__ import annotations\ndef make(self, key: Unknown): ...",
    )
    assert build(cell).make.__annotations__ == {"key": "Unknown"}


def test_annotations_are_evaluated_as_in_any_cell(build):
    cell = parse_cell("A : Computed", "a : int32\ndef make(self, key: dict): ...")
    assert build(cell).make.__annotations__ == {"key": dict}


def test_a_cell_without_a_body_gives_a_class_with_its_definition(build):
    assert build(parse_cell("A : Manual", 'a : int32  # it\'s "a"')).definition == (
        'a : int32  # it\'s "a"'
    )


@pytest.mark.parametrize(
    ("body", "line", "text"),
    [
        ("def make(self, key)\n    pass", 3, "def make(self, key)"),
        ("def make(self, key):\n  x = (\n", 4, "  x = ("),
        ("import os\nreturn 5", 4, "return 5"),
        ("def make(self):\n    await x", 4, "    await x"),
    ],
)
def test_wrong_python_is_reported_at_its_line_of_the_cell(body, line, text):
    with pytest.raises(SyntaxError) as caught:
        compile_body(parse_cell("A : Computed", f"a : int32\n{body}"), FILENAME)
    error = caught.value
    assert (error.filename, error.lineno, error.text.rstrip("\n")) == (FILENAME, line, text)
