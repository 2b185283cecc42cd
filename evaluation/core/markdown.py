"""Words, lists and tables for Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping

MARKUP = re.compile(r"[\\`*_\[\]|~]|(?<=www)\.|:(?=//)")
"""What Markdown would take for a code, an emphasis, a link, the cell of a table or a line through words."""

ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"}


def plain(words: object) -> str:
    """Words of a user for a card: on one line, and neither Markdown nor HTML."""
    line = MARKUP.sub(r"\\\g<0>", " ".join(str(words).split()))
    return "".join(ENTITIES.get(sign, sign) for sign in line)


def as_list(facts: Mapping[str, object]) -> str:
    """Facts as a Markdown list."""
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())
