"""Draw events of any modality, with what a model says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.evaluation.core.errors import DisplayError, EvaluationError
from nuzoo.evaluation.display.index_page import INDEX_STEM, DrawnEvent, check_index, write_index
from nuzoo.files.events.event_errors import EventError
from nuzoo.files.events.event_truth import SIMULATED_PREFIX
from nuzoo.files.file_stems import FileStems
from nuzoo.files.left_out import Omission
from nuzoo.files.names import CARD_FILE
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.pipelines.predictions import answered, omission
from nuzoo.registry import MODALITIES, import_object
from nuzoo.simulation.errors import UnknownDetectorError

if TYPE_CHECKING:
    from datasets import Features

    from nuzoo.evaluation.display.contract import EventDisplay
    from nuzoo.pipelines.event_pipeline import EventPipeline

Row = Mapping[str, Any]

DEFAULT_SPLIT = "test"


def draw_events(
    rows: Iterable[Row],
    out: Path,
    *,
    pipeline: EventPipeline | None = None,
    sample: str | None = None,
    modality: str | None = None,
    left_out: list[Omission] | None = None,
    more_facts: Sequence[Mapping[str, str]] | None = None,
) -> list[Path]:
    """Draw each row as a picture and a page that are named after it, and write `index.html` of them.

    Args:
        rows: Events.
        out: Folder, made if absent.
        pipeline: Model whose predictions are shown.
        sample: What the events are called; named after their source by default.
        modality: Of the events; found by their columns by default.
        left_out: An event that cannot be drawn, or that the model cannot read, is added. None raises its
            error.
        more_facts: Of each row in turn, facts for the index beside those that the display tells.

    Returns:
        The files, the index last; none where no event could be drawn.

    Raises:
        DisplayError: Events of no modality that can be drawn, or a page of something else in the folder.
        EventError: A column is missing or wrong.
    """
    check_index(out)
    stem_of, drawn = FileStems([INDEX_STEM]), list[DrawnEvent]()
    for row, more in zip(rows, repeat({}) if more_facts is None else more_facts, strict=False):
        try:
            display = find_display(row, modality)
            prediction = None if pipeline is None else _prediction(pipeline, row, left_out)
            out.mkdir(parents=True, exist_ok=True)
            source = str(row.get("source", ""))
            named = sample or (None if source.startswith(SIMULATED_PREFIX) else f"from {source}")
            stem = out / stem_of(str(row["event_id"]))
            files = display.draw(row, stem, prediction=prediction, sample=named)
            facts = {**display.facts(row, prediction), **more}
            drawn.append(DrawnEvent.of(row, files, facts, named))
        except (EventError, EvaluationError, UnknownDetectorError) as error:
            if left_out is None:
                raise
            left_out.append(omission(dict(row), error))
    paths = [file for event in drawn for file in event.files]
    return [*paths, write_index(out, drawn)] if drawn else []


def _prediction(pipeline: EventPipeline, row: Row, left_out: list[Omission] | None) -> dict[str, Any] | None:
    if left_out is None:
        result: dict[str, Any] = pipeline(dict(row))
        return result
    refused: list[Omission] = []
    found = [result for _, result in answered(pipeline, [dict(row)], refused)]
    told = "drawn without a prediction"
    left_out += [Omission(one.file, one.event, f"{told}: {one.reason}") for one in refused]
    return found[0] if found else None


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


def is_dataset(sources: Sequence[str]) -> bool:
    """Say whether what shall be drawn is a dataset rather than detector files."""
    path = Path(sources[0])
    return len(sources) == 1 and (not path.exists() or (path / CARD_FILE).exists())


def modality_of_files(paths: Iterable[Path]) -> str | None:
    """Find out what the events of detector files look like: of Parquet by the columns of the first file.

    Returns:
        A name in `nuzoo.registry.MODALITIES`; None where columns do not tell.
    """
    from pyarrow import ArrowException, parquet

    from nuzoo.datasets_scripts.common.samples import modality_of
    from nuzoo.simulation.detectors import DETECTORS

    tables = (path for path in paths if path.suffix == ".parquet" and path.is_file())
    if (first := next(tables, None)) is None:
        return None
    try:
        columns = parquet.read_schema(first).names
    except (OSError, ArrowException):  # the reader says what is wrong with it
        return None
    return next((found for name in DETECTORS if (found := modality_of(name, columns))), None)


def read_dataset(source: str, split: str | None) -> Iterator[Row]:
    """Read the events of a split of a dataset folder or repository; classes become names.

    Args:
        source: Folder or repository.
        split: Name; None takes `DEFAULT_SPLIT`, of a dataset without it the first that it has.
    """
    from nuzoo.datasets_scripts.common.loading import load_events, readable

    events = load_events(source, split=split, streaming=True)
    if split is None:
        events = events[DEFAULT_SPLIT if DEFAULT_SPLIT in events else next(iter(events))]
    with readable(source):
        for row in events:
            yield named_row(row, events.features)


def read_files(files: Any) -> Iterator[Row]:
    """Read the events of detector files, as a modality's reader gives them; classes become names."""
    classes = getattr(files, "classes", None)
    for row in files:
        label = row.get("label")
        yield row if classes is None or label is None else row | {"label": classes[label]}


def named_row(row: Row, features: Features | None) -> dict[str, Any]:
    """Write the classes of a row of a dataset by the names that its columns have for them."""
    named = dict(row)
    for key, feature in (features or {}).items():
        names = getattr(feature, "names", None)
        if names and isinstance(row.get(key), int) and row[key] >= 0:
            named[key] = names[row[key]]
    return named


def choose_rows(rows: Iterable[Row], event_ids: Sequence[str] | None, number: int) -> Iterator[Row]:
    """Choose the events that are named, or without names the first ones.

    Raises:
        DisplayError: A named event is not there.
    """
    if not event_ids:
        yield from islice(rows, number)
        return
    wanted, names = set(event_ids), list[str]()
    for row in rows:
        names.append(str(row["event_id"]))
        if row["event_id"] in wanted:
            wanted.remove(row["event_id"])
            yield row
        if not wanted:
            return
    raise DisplayError(
        f"no event {', '.join(sorted(wanted))} there: expected the name of an event such as "
        f"{names[0] if names else 'one of a file that can be read, got no event at all'}"
        f"{did_you_mean(sorted(wanted), names)}"
    )
