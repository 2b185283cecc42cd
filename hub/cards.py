"""Fill card templates; a card with a gap is an error."""

from __future__ import annotations

import re
from importlib.resources import files

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from nuzoo.evaluation.core.text import as_list, with_error
from nuzoo.files.plain_text import counted, plain
from nuzoo.hub.errors import IncompleteCardError

HEADING = re.compile(r"^#+ .+$", re.MULTILINE)
BLANK_LINES = re.compile(r"\n{3,}")
ANYWHERE = "/"
"""A plug-in's template has an absolute path."""


def fill_template(template: str, **values: object) -> str:
    """Fill a template.

    Args:
        template: File name in `model_cards/`, or absolute.
        **values: What it may use.

    Returns:
        The card.

    Raises:
        IncompleteCardError: It needs a value that there is not, or cannot be read.
    """
    environment = Environment(
        loader=FileSystemLoader([str(files("nuzoo.model_cards")), ANYWHERE]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"as_list": as_list, "counted": counted, "plain": plain, "with_error": with_error}
    try:
        card = environment.get_template(template).render(values)
    except TemplateError as error:
        raise IncompleteCardError(f"{template}: {error}; mend the template, or give the value") from error
    return BLANK_LINES.sub("\n\n", card).strip() + "\n"


def empty_sections(card: str) -> list[str]:
    """Find headings that nothing follows, not even a deeper heading.

    Args:
        card: Markdown.
    """
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
