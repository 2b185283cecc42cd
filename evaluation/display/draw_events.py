"""Draw events of any modality, with what a model says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.evaluation.core.errors import DisplayError
from nuzoo.files.events.event_truth import SIMULATED_PREFIX
from nuzoo.files.names import CARD_FILE
from nuzoo.registry import MODALITIES, import_object

if TYPE_CHECKING:
    from nuzoo.evaluation.display.contract import EventDisplay

LONGEST_STEM = 100

Row = Mapping[str, Any]


def draw_events(
    rows: Sequence[Row],
    out: Path,
    *,
    model: str | None = None,
    sample: str | None = None,
    modality: str | None = None,
) -> list[Path]:
    """Draw rows as `<event id>.png` and `<event id>.html`.

    Args:
        rows: Events.
        out: Folder, made if absent.
        model: Model folder or repository whose predictions are shown.
        sample: What the events are called; named after their source by default.
        modality: Of the events; found by their columns by default.

    Returns:
        The files.

    Raises:
        DisplayError: Events of no modality that can be drawn.
        EventError: A column is missing or wrong.
    """
    displays = [find_display(row, modality) for row in rows]
    predictions: list[Any] = [None] * len(rows)
    if model is not None:
        from nuzoo.pipelines.loading import load_pipeline

        predictions = list(load_pipeline(model)(list(rows)))
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for row, display, prediction in zip(rows, displays, predictions, strict=True):
        source = str(row.get("source", ""))
        named = sample or (None if source.startswith(SIMULATED_PREFIX) else f"from {source}")
        paths += display.draw(row, out / file_stem(str(row["event_id"])), prediction=prediction, sample=named)
    return paths


def find_display(row: Row, modality: str | None = None) -> EventDisplay:
    """Find what draws a row, if its modality is not known by its columns.

    Raises:
        DisplayError: No modality has events of such columns.
    """
    names = MODALITIES if modality is None else [modality]
    displays: list[EventDisplay] = [import_object(MODALITIES[name].display) for name in names]
    found = next((display for display in displays if modality or display.draws(row)), None)
    if found is None:
        raise DisplayError(
            f"event {row.get('event_id')}: expected events of {', '.join(MODALITIES)}, by a known "
            f"detector, got detector {row.get('detector')!r} and the columns {', '.join(row)}"
        )
    return found


def read_rows(sources: Sequence[str], split: str, modality: str | None = None) -> Iterator[Row]:
    """Read events to draw.

    Args:
        sources: A dataset folder or repository, or detector files.
        split: Of a dataset.
        modality: Of the events in files; the first of the table by default.
    """
    path = Path(sources[0])
    if len(sources) == 1 and (not path.exists() or (path / CARD_FILE).exists()):
        from nuzoo.datasets_scripts.common.loading import load_events

        yield from load_events(sources[0], split=split, streaming=True)
    else:
        reader = import_object(MODALITIES[modality or next(iter(MODALITIES))].reader)
        yield from reader([Path(file) for file in sources], strict=True)


def choose_rows(rows: Iterable[Row], event_ids: Sequence[str] | None, number: int) -> Iterator[Row]:
    """Choose the events that are named, or without names the first ones.

    Raises:
        DisplayError: A named event is not there.
    """
    if not event_ids:
        yield from islice(rows, number)
        return
    wanted = set(event_ids)
    for row in rows:
        if row["event_id"] in wanted:
            wanted.remove(row["event_id"])
            yield row
        if not wanted:
            return
    raise DisplayError(f"no event {', '.join(sorted(wanted))} there")


def file_stem(event_id: str) -> str:
    """Name the files of an event, without suffix."""
    return re.sub(r"[^\w.-]+", "_", event_id)[:LONGEST_STEM]
