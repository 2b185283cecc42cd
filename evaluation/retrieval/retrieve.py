"""Find the events that a network holds to be like one, and show them on one page."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nuzoo.datasets_scripts.common.labelled_rows import check_columns, check_detector, check_modality
from nuzoo.evaluation.core.errors import EvaluationError
from nuzoo.evaluation.core.inference import to_inference_device
from nuzoo.evaluation.display.draw_events import draw_events, named_row
from nuzoo.evaluation.retrieval.embeddings import PARTICLE, Embeddings, embed
from nuzoo.files.atomic import replacing
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.pipelines.loading import load_model

if TYPE_CHECKING:
    from datasets import Dataset

TABLE = "nearest.csv"


@dataclass(frozen=True)
class Neighbour:
    """An event or a particle that is like another one.

    Attributes:
        row: Of the event.
        particle: Its row in the event; -1 of a whole event.
        similarity: Cosine of the angle between the directions.
    """

    row: int
    particle: int
    similarity: float


def retrieve(
    path: str,
    rows: Dataset,
    like: str,
    out: Path,
    *,
    particle: int | None = None,
    number: int = 10,
    batch_size: int = 16,
    sample: str | None = None,
) -> list[Path]:
    """Find the nearest events, write them as a table and draw them, the one that is asked about first.

    Args:
        path: Model folder or repository.
        rows: Events, among which the nearest are searched.
        like: Name of one of them.
        out: Folder for `nearest.csv`, and the displays with their page.
        particle: A particle of that event by its row, to find particles like it.
        number: How many.
        batch_size: Events per batch.
        sample: What the events are called.

    Returns:
        The files.

    Raises:
        EvaluationError: No such event or particle, or several events of that name.
        UnusableDatasetError: Events that the model does not read, or whose particles are not known.
    """
    names = list(rows["event_id"])
    _check_name(like, names)
    model, processor = load_model(path)
    split = str(rows.split or "rows")
    check_modality({split: rows}, processor.modality)
    check_detector(rows, split, processor.detector)
    if particle is not None:
        check_columns(rows, split, [PARTICLE])
    to_inference_device(model)
    found = embed(model, processor, rows, by_particle=particle is not None, batch_size=batch_size)
    nearest = nearest_to(found, _place(found, names.index(like), particle, like), number + 1)
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / TABLE) as partial:
        _write_table(partial, nearest, names)
    return [out / TABLE, *_draw(rows, nearest, out, sample)]


def _check_name(like: str, names: list[str]) -> None:
    if not names:
        raise EvaluationError("expected events to search in, got none: take another split")
    if (number := names.count(like)) != 1:
        raise EvaluationError(
            f"--like: expected the name of one event such as {names[0]}, got {like!r}"
            + (f" of {number} events: give each a name of its own" if number else did_you_mean([like], names))
        )


def nearest_to(found: Embeddings, place: int, number: int) -> list[Neighbour]:
    """Search the nearest directions, itself included, by FAISS.

    Args:
        found: What is compared.
        place: Of the one that is asked about.
        number: How many.

    Raises:
        EvaluationError: Some directions are no numbers.
    """
    import faiss
    from datasets import Dataset

    table = Dataset.from_dict({"direction": list(found.direction)}).with_format("numpy")
    table.add_faiss_index("direction", metric_type=faiss.METRIC_INNER_PRODUCT)
    result = table.search("direction", found.direction[place], k=min(number, len(table)))
    if min(result.indices) < 0:
        raise EvaluationError(
            f"expected {min(number, len(table))} directions that can be compared, got fewer: the features of "
            "the network are no numbers, download or train it again"
        )
    return [
        Neighbour(int(found.row[index]), int(found.particle[index]), float(score))
        for score, index in zip(result.scores, result.indices, strict=True)
    ]


def _place(found: Embeddings, row: int, particle: int | None, like: str) -> int:
    of_event = np.flatnonzero(found.row == row)
    if particle is None and len(of_event):
        return int(of_event[0])
    known = found.particle[of_event].tolist()
    if particle not in known:
        raise EvaluationError(
            f"--like {like}: expected {'an event' if particle is None else 'a particle'} with hits, got "
            f"{'none' if particle is None else particle}; particles of it with hits: "
            f"{', '.join(map(str, known)) or 'none'}"
        )
    return int(of_event[known.index(particle)])


def _write_table(path: Path, nearest: list[Neighbour], names: list[str]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["rank", "event_id", "particle", "similarity"])
        for rank, one in enumerate(nearest):
            particle = "" if one.particle < 0 else one.particle
            writer.writerow([rank, names[one.row], particle, f"{one.similarity:.6f}"])


def _draw(rows: Dataset, nearest: list[Neighbour], out: Path, sample: str | None) -> list[Path]:
    """Draw every event once, with how near it is; of several particles the nearest."""
    facts = dict[int, dict[str, str]]()
    for one in nearest:
        told = f"{one.similarity:.3f}" + (f", of particle {one.particle}" if one.particle >= 0 else "")
        facts.setdefault(one.row, {"similarity": told})
    events = [named_row(rows[row], rows.features) for row in facts]
    return draw_events(events, out, sample=sample, more_facts=list(facts.values()))
