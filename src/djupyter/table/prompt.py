"""Asking before something that cannot be undone."""

from __future__ import annotations

from djupyter.errors import DataJointError

_UNATTENDED = (
    'Nothing was changed. Pass prompt=False, or set dj.config["safemode"] = False, '
    "to go ahead without asking."
)


def confirmed(question: str, unattended: str = _UNATTENDED) -> bool:
    """Ask a question that only the whole word `yes` answers with yes.

    The end of the input means no.

    Parameters
    ----------
    question
        What is asked.
    unattended
        What to do where nobody can answer.

    Raises
    ------
    DataJointError
        Nobody can answer: a notebook runs unattended.
    """
    try:
        return input(f"{question} [yes, No]: ").strip().lower() == "yes"
    except EOFError:
        return False
    except NotImplementedError:  # what Jupyter's input raises where there is no frontend
        raise DataJointError(f"Nobody is here to answer: {question} {unattended}") from None
