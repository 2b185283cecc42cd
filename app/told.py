"""What a pipeline says of an event, in pieces that a page can show: told by their form alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_ROWS = 30


@dataclass(frozen=True)
class Scores:
    """Classes with their probabilities.

    Attributes:
        title: What is classified; empty for the event.
        scores: Probability by class.
    """

    title: str
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Table:
    """Rows of text.

    Attributes:
        header: Of the columns.
        rows: Of as many texts each.
        note: What is to be said below.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def scores_in(result: Mapping[str, Any]) -> list[Scores]:
    """Find all probabilities of classes in a result."""
    named = {"": result, **{name: value for name, value in result.items() if isinstance(value, Mapping)}}
    return [
        Scores(name, dict(of["scores"]))
        for name, of in named.items()
        if isinstance(of.get("scores"), Mapping)
    ]


def tables_in(result: Mapping[str, Any]) -> list[Table]:
    """Write down quantities, things that were found, and how many there are of each class."""
    found = [_quantities(result), *map(_things, result.items()), _classes(result)]
    return [table for table in found if table is not None]


def _quantities(result: Mapping[str, Any]) -> Table | None:
    known = {name: of for name, of in result.items() if isinstance(of, Mapping) and "unit" in of}
    rows = [(_title(name), f"{_text(of['value'])} {of['unit']}") for name, of in known.items()]
    return Table(("quantity", "value"), rows) if rows else None


def _things(item: tuple[str, Any]) -> Table | None:
    name, things = item
    if not isinstance(things, list) or not things or not isinstance(things[0], Mapping):
        return None
    header = [key for key in things[0] if key != "id"]
    rows = [[_text(one.get(key)) for key in header] for one in things[:MOST_ROWS]]
    note = f"{len(things)} {name} were found"
    more = f"; the first {MOST_ROWS} are shown" if len(things) > MOST_ROWS else ""
    return Table(list(map(_title, header)), rows, f"{note}{more}.")


def _classes(result: Mapping[str, Any]) -> Table | None:
    labels = result.get("labels")
    if not labels:
        return None
    counts = Counter(labels).most_common()
    rows = [(_title(str(name)), f"{count:,}", f"{count / len(labels):.1%}") for name, count in counts]
    return Table(("class", "number", "share"), rows)


def _title(name: str) -> str:
    return name.replace("_", " ")


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    if isinstance(value, float):
        return f"{value:.3g}"
    return _title(str(value))
