"""What a check of a repository found."""

from __future__ import annotations

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
