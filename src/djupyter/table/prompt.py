"""Asking before something that cannot be undone."""

from __future__ import annotations


def confirmed(question: str) -> bool:
    """Ask a question that only the whole word `yes` answers with yes.

    A closed input, as in a notebook that runs unattended, means no.
    """
    try:
        return input(f"{question} [yes, No]: ").strip().lower() == "yes"
    except EOFError:
        return False
