"""Plain text for LaTeX."""

from __future__ import annotations

SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"$<$",
        ">": r"$>$",
        "|": r"$|$",
        "±": r"$\pm$",
        "−": r"$-$",
        "×": r"$\times$",
        "–": "--",
        "\u202f": r"\,",
        **{character: rf"\{character}" for character in "#$%&_"},
    }
)


def escaped(text: str) -> str:
    """The text with every character that LaTeX would take for a command replaced."""
    return text.translate(SPECIAL)
