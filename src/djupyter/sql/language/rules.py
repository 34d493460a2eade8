"""Everything that may stand in a condition: the rules of operators and functions together.

Imported with the first text that is parsed, because sqlglot comes with it.
"""

from __future__ import annotations

from djupyter.sql.language.function_rules import FUNCTION_RULES
from djupyter.sql.language.operator_rules import OPERATOR_RULES
from djupyter.sql.language.reader import Reader

RULES = {**OPERATOR_RULES, **FUNCTION_RULES}


def reader() -> Reader:
    """Return what reads one text."""
    return Reader(RULES)
