"""Tables with one-letter names, for tests of the algebra: NULLs, a nullable reference, namesakes.

| table                | rows                                            |
|----------------------|-------------------------------------------------|
| A(a; x=null, name)   | (1, 10, one), (2, NULL, two), (3, 30, o'ne%)    |
| B(-> A, b; y)        | (1, 1, 1.5), (1, 2, 2.5), (2, 1, 3.5)           |
| C(c; -> [nullable] A)| (1, 1), (2, NULL), (3, 3)                       |
| D(a; z)              | an `a` of its own: (1, 100), (2, 200)           |
| E(e; x=null)         | an `x` of its own: (1, 10), (2, NULL)           |
| N(n; w), Ed(-> N as src, -> N as dst; cost) | a graph 1 -> 2 -> 3      |
| S(; s)               | a singleton with the value 7                    |
"""

from __future__ import annotations

from types import SimpleNamespace

import djupyter as dj


def declare(schema: dj.Schema) -> SimpleNamespace:
    """Declare the tables in a schema and return their classes."""

    @schema
    class A(dj.Manual):
        definition = """
        a : int32
        ---
        x = null : int32
        name : varchar(20)
        """

    @schema
    class B(dj.Manual):
        definition = """
        -> A
        b : int32
        ---
        y : float64
        """

    @schema
    class C(dj.Manual):
        definition = """
        c : int32
        ---
        -> [nullable] A
        """

    @schema
    class D(dj.Manual):
        definition = """
        a : int32
        ---
        z : int32
        """

    @schema
    class E(dj.Manual):
        definition = """
        e : int32
        ---
        x = null : int32
        """

    @schema
    class N(dj.Manual):
        definition = """
        n : int32
        ---
        w : int32
        """

    @schema
    class Ed(dj.Manual):
        definition = """
        -> N.proj(src="n")
        -> N.proj(dst="n")
        ---
        cost : int32
        """

    @schema
    class S(dj.Manual):
        definition = """
        ---
        s : int32
        """

    return SimpleNamespace(A=A, B=B, C=C, D=D, E=E, N=N, Ed=Ed, S=S)


def fill(tables: SimpleNamespace) -> None:
    """Insert the rows of the picture above."""
    tables.A.insert([(1, 10, "one"), (2, None, "two"), (3, 30, "o'ne%")])
    tables.B.insert([(1, 1, 1.5), (1, 2, 2.5), (2, 1, 3.5)])
    tables.C.insert([(1, 1), (2, None), (3, 3)])
    tables.D.insert([(1, 100), (2, 200)])
    tables.E.insert([(1, 10), (2, None)])
    tables.N.insert([(1, 5), (2, 6), (3, 7)])
    tables.Ed.insert([(1, 2, 50), (2, 3, 60)])
    tables.S.insert1({"s": 7})
