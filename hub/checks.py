"""What a check of a repository found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What it was.
        problem: What is wrong and how to mend it; None where all is well.
        note: What is not there, and need not be.
    """

    name: str
    problem: str | None = None
    note: str | None = None


class NotThereError(Exception):
    """What is to be checked is not there, and need not be: its text becomes the note."""


def run_check(name: str, check: Callable[[], str | None]) -> Check:
    """Do a check; whatever it raises is a finding.

    Args:
        name: What is looked at.
        check: Gives what it found out, for people, if there is anything to say.

    Returns:
        What it found.
    """
    try:
        found = check()
    except NotThereError as note:
        return Check(name, note=str(note))
    except Exception as error:  # a file that makes no sense trips the libraries up anywhere
        return Check(name, _explained(error))
    return Check(f"{name} ({found})" if found else name)


def _explained(error: BaseException) -> str:
    """Give the text of the error, or of the first cause that is a plain one: libraries wrap those."""
    while error.__cause__ is not None and not isinstance(error, ValueError | OSError):
        error = error.__cause__
    if isinstance(error, ValueError | OSError):
        return str(error)
    return f"{type(error).__name__}: {error}. Publish the repository again"
