"""What all pages of events share: a look, and data that no text of an event can break out of."""

from __future__ import annotations

import json
import re
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from nuzoo.files.atomic import write_atomically

STYLE = "event_page.css"
DATA_PLACE, STYLE_PLACE, TITLE_PLACE = "EVENT_DATA", "PAGE_STYLE", "EVENT_TITLE"


def write_page(out: Path, package: str, template: str, title: str, data: Any, **parts: str) -> Path:
    """Write a page from a template.

    Args:
        out: File; its folder is made if absent.
        package: Dotted path of the package that holds the template.
        template: Its file name.
        title: Of the page, any text.
        data: What the page shows, put in as JSON.
        **parts: Text for further places of the template, by their names.
    """
    text = files(package).joinpath(template).read_text(encoding="utf-8")
    style = files("nuzoo.evaluation.display").joinpath(STYLE).read_text(encoding="utf-8")
    plain = escape(" ".join(title.split()))
    places = {STYLE_PLACE: style, TITLE_PLACE: plain, DATA_PLACE: json_for_html(data), **parts}
    text = re.sub("|".join(places), lambda found: places[found[0]], text)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, text)
    return out


def json_for_html(data: Any) -> str:
    """Write JSON that is safe inside a script element: no tag, comment or entity can appear in it."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
