"""One page that shows the drawn events of a folder, with what is true and what a model says of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nuzoo.evaluation.core.errors import DisplayError
from nuzoo.evaluation.core.provenance import sample_tag
from nuzoo.evaluation.core.style import class_parts
from nuzoo.files.atomic import write_atomically

INDEX_STEM = "index"
TITLE = b"<title>Event displays</title>"
LARGEST_HEAD = 1000
TEMPLATE, PLACEHOLDER = "index_page.html", "EVENTS"


@dataclass(frozen=True)
class DrawnEvent:
    """An event and the files that show it.

    Attributes:
        name: Of the event.
        detector: That saw it.
        tag: What kind of event it is.
        facts: Names and values for people; a value is the name of a class or any text.
        files: In one folder.
    """

    name: str
    detector: str
    tag: str
    facts: Mapping[str, str]
    files: Sequence[Path]

    @classmethod
    def of(
        cls,
        row: Mapping[str, Any],
        files: Sequence[Path],
        facts: Mapping[str, str],
        sample: str | None,
    ) -> DrawnEvent:
        """Take from a row what it is called."""
        tag = sample_tag([str(row.get("source", ""))], sample)
        return cls(str(row.get("event_id", "")), str(row.get("detector", "")), tag, facts, files)

    def file(self, suffix: str) -> str | None:
        """Give the address of its file with an ending, for a page in the same folder."""
        return next((quote(file.name) for file in self.files if file.suffix == suffix), None)


def check_index(out: Path) -> None:
    """Refuse a folder with an `index.html` that is no page of events.

    Raises:
        DisplayError: There is one, which would be lost.
    """
    page = out / f"{INDEX_STEM}.html"
    if page.is_file() and TITLE not in page.read_bytes()[:LARGEST_HEAD]:
        raise DisplayError(
            f"{page}: expected no page, or one of displays, got a page of something else, which would be "
            "lost: give another folder"
        )


def write_index(out: Path, events: Sequence[DrawnEvent]) -> Path:
    """Write the page of the events into their folder."""
    template = files("nuzoo.evaluation.display").joinpath(TEMPLATE).read_text(encoding="utf-8")
    page = out / f"{INDEX_STEM}.html"
    write_atomically(page, template.replace(PLACEHOLDER, "\n".join(map(_article, events))))
    return page


def _article(event: DrawnEvent) -> str:
    picture, page = event.file(".png"), event.file(".html")
    shown = f'<img src="{picture}" alt="" loading="lazy">' if picture else ""
    name = f"<h2>{escape(event.name)}</h2>"
    inside = f'<a href="{page or picture}">{shown}{name}</a>' if page or picture else name
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{_class(value)}</dd>" for name, value in event.facts.items())
    about = escape(f"{event.detector} · {event.tag}")
    return f"<article>{inside}<p>{about}</p><dl>{facts}</dl></article>"


def _class(name: str) -> str:
    return "".join(
        f"<sub>{escape(text)}</sub>" if index else escape(text) for text, index in class_parts(name)
    )
