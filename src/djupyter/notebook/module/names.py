"""Which names a piece of Python takes from around it: at once, or when its functions are called. Pure."""

from __future__ import annotations

import builtins
import symtable
from collections.abc import Iterator
from dataclasses import dataclass

# Before Python 3.12 comprehensions are functions of their own, which run where they stand.
_AT_ONCE = {"listcomp", "setcomp", "dictcomp", "genexpr"}


@dataclass(frozen=True, slots=True)
class Needs:
    """Names that must be bound around a piece of Python.

    Parameters
    ----------
    at_once
        When it is executed.
    later
        Only when its functions are called.
    """

    at_once: tuple[str, ...] = ()
    later: tuple[str, ...] = ()

    def __or__(self, other: Needs) -> Needs:
        at_once = tuple(dict.fromkeys((*self.at_once, *other.at_once)))
        later = tuple(dict.fromkeys((*self.later, *other.later)))
        return Needs(at_once, tuple(name for name in later if name not in at_once))


def needs(source: str) -> Needs:
    r"""Return the names that a piece of Python needs, builtins left out.

    Parameters
    ----------
    source
        Statements.

    Raises
    ------
    SyntaxError
        It is no Python.

    Examples
    --------
    >>> needs("class A(Base):\n    x = 2 * factor\n    def f(self):\n        return len(helper(self.x))")
    Needs(at_once=('Base', 'factor'), later=('helper',))
    """
    top = symtable.symtable(source, "<cell>", "exec")
    bound = {
        symbol.get_name()
        for symbol in top.get_symbols()
        if symbol.is_assigned() or symbol.is_imported()
    }
    found: dict[bool, dict[str, None]] = {True: {}, False: {}}
    for name, at_once in _read(top, True):
        if name not in bound and not hasattr(builtins, name):
            found[at_once][name] = None
    return Needs(tuple(found[True])) | Needs(later=tuple(found[False]))


def _read(table: symtable.SymbolTable, at_once: bool) -> Iterator[tuple[str, bool]]:
    is_top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (is_top or symbol.is_global()):
            yield symbol.get_name(), at_once
    for inner in table.get_children():
        is_function = inner.get_type() == "function" and inner.get_name() not in _AT_ONCE
        yield from _read(inner, at_once and not is_function)
