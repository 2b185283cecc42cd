"""Words of users and of files in cards and reports, which are Markdown, and on terminals."""

import re

MARKUP = re.compile(r"[\\`*_\[\]|~]|(?<=www)\.|:(?=//)")
"""What Markdown would take for a code, an emphasis, a link, the cell of a table or a line through words."""

ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"}


def plain(words: object) -> str:
    """Make words of a user safe for a card: on one line, and neither Markdown nor HTML."""
    line = MARKUP.sub(r"\\\g<0>", " ".join(str(words).split()))
    return "".join(ENTITIES.get(sign, sign) for sign in line)


def printable(words: str) -> str:
    """Make words of a file safe for a terminal: signs other than those to be seen become their codes."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in words)
