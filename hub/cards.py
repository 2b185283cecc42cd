"""Fill card templates; a card with a gap is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from string import Template

from nuzoo.hub.errors import IncompleteCardError

HEADING = re.compile(r"^#+ .+$", re.MULTILINE)


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """Fill the `$placeholders` of a template of `model_cards/`.

    Args:
        template: File name.
        values: Text of each placeholder.

    Raises:
        IncompleteCardError: A placeholder has no value, or a section would be empty.
    """
    text = files("nuzoo.model_cards").joinpath(template).read_text(encoding="utf-8")
    try:
        card = Template(text).substitute(values)
    except KeyError as missing:
        raise IncompleteCardError(f"{template} needs a value for {missing}") from missing
    empty = empty_sections(card)
    if empty:
        raise IncompleteCardError(f"{template} would have empty sections: {', '.join(empty)}")
    return card


def empty_sections(card: str) -> list[str]:
    """Headings that nothing follows, not even a deeper heading."""
    text = re.sub(r"```.*?```", lambda block: block[0].replace("#", " "), card, flags=re.DOTALL)
    headings = list(HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return [
        heading[0]
        for heading, end in zip(headings, ends, strict=True)
        if not text[heading.end() : end].strip() and not _opens_deeper(text[end:], heading[0])
    ]


def _opens_deeper(rest: str, heading: str) -> bool:
    return rest.startswith("#" * (len(heading.split(" ")[0]) + 1))
