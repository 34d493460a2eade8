"""Which names a piece of Python takes from around it."""

import pytest

from djupyter.notebook.module.cells import bindings
from djupyter.notebook.module.names import Needs, needs


@pytest.mark.parametrize(
    ("source", "at_once", "later"),
    [
        ("x = a", {"a"}, set()),
        ("x = 1\ny = x", set(), set()),
        ("def f(p=default):\n    q = r\n    return p + q", {"default"}, {"r"}),
        (
            "class A(B):\n    k = Session & 'x'\n    def make(self, key):\n        T & key",
            {"B", "Session"},
            {"T"},
        ),
        ("x = [n * factor for n in numbers]", {"factor", "numbers"}, set()),
        ("f = lambda n: n * factor", set(), {"factor"}),
        ("def f():\n    import numpy\n    return numpy.pi", set(), set()),
        ("@wrapped\ndef f() -> Kind: pass", {"wrapped", "Kind"}, set()),
        ("def f():\n    return g()\ndef g(): pass", set(), set()),
        ("def f():\n    def inner():\n        return far\n    return inner", set(), {"far"}),
        ("print(len('a'))", set(), set()),
    ],
)
def test_names_are_needed_at_once_or_later(source: str, at_once: set, later: set) -> None:
    found = needs(source)
    assert (set(found.at_once), set(found.later)) == (at_once, later)


def test_what_is_needed_at_once_is_not_needed_later_too() -> None:
    assert Needs(("a",), ("b",)) | Needs(("b",), ("a", "c")) == Needs(("a", "b"), ("c",))


@pytest.mark.parametrize(
    ("cells", "name", "expected"),
    [
        (["import numpy as np"], "np", "import numpy as np"),
        (["import os.path"], "os", "import os.path"),
        (["from a.b import c as d, e"], "d", "from a.b import c as d"),
        (["from . import c"], "c", "from . import c"),
        (["x = 1", "x = 2"], "x", "x = 2"),
        (["x = 1\nx += 2"], "x", "x = 1|x += 2"),
        (["a, (b, *c) = f()"], "c", "a, (b, *c) = f()"),
        (["a = 1; b = 2"], "b", "b = 2"),
        (["a = 1; b = 2"], "a", "a = 1"),
        (
            ["@wrapped\ndef f():\n    return 1  # one"],
            "f",
            "@wrapped\ndef f():\n    return 1  # one",
        ),
        (
            ["with open('f') as file:\n    rows = file.read()"],
            "rows",
            "with open('f') as file:\n    rows = file.read()",
        ),
        (["def f(:", "f = 1"], "f", "f = 1"),
    ],
)
def test_the_last_statement_that_binds_a_name_is_found(
    cells: list, name: str, expected: str
) -> None:
    found = bindings(cells)[name]
    text = "|".join(each.source for each in found) if isinstance(found, tuple) else str(found)
    assert text == expected


def test_names_inside_of_functions_and_comprehensions_bind_nothing_around() -> None:
    assert set(bindings(["def f():\n    x = 1\n[y for y in range(3)]\nz: int = 2"])) == {"f", "z"}
