"""An answer: what a model says of an event, with pictures, made in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.app.offered import OfferedModel, offered_models
from nuzoo.app.sample_events import sample_event
from nuzoo.app.told import Scores, Table, scores_in, tables_in
from nuzoo.app.uploads import event_of_files
from nuzoo.evaluation.core.errors import ExplanationError
from nuzoo.evaluation.core.style import png_alone
from nuzoo.evaluation.explain.explain import ExplainedEvent
from nuzoo.pipelines.loading import load_pipeline
from nuzoo.registry import MODALITIES, import_object

if TYPE_CHECKING:
    from nuzoo.evaluation.display.contract import EventDisplay
    from nuzoo.evaluation.explain.explain import Explainer
    from nuzoo.pipelines.event_pipeline import EventPipeline

ANSWER_FILE = "answer.json"
STEM, WHY = "event", "why.png"
UPLOADED = "uploaded file"


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        model: A name in `offered_models`.
        seed: Of a sample event.
        wanted: True class of the sample event; None for any.
        files: Of an uploaded event in its place; they are in one folder.
        number: Of the event in the files, from 1 on.
    """

    model: str
    seed: int = 1
    wanted: str | None = None
    files: tuple[Path, ...] = ()
    number: int = 1


@dataclass(frozen=True)
class Answer:
    """What is told; nothing in it is markup, and files are named without their folder.

    Attributes:
        model: Name of the model.
        event: Name of the event.
        facts: What is known of it, by title.
        scores: Probabilities of classes.
        tables: What else the model says.
        picture: File of the event as a picture.
        page: File of the event as an interactive page.
        why: Why the model says so, in sentences; none where nothing tells of its task.
        why_picture: File of the picture to that.
    """

    model: str
    event: str
    facts: Mapping[str, str]
    scores: Sequence[Scores]
    tables: Sequence[Table]
    picture: str
    page: str
    why: Sequence[str] = field(default=())
    why_picture: str | None = None

    def write(self, folder: Path) -> None:
        """Write it down beside its files."""
        (folder / ANSWER_FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Answer:
        """Read what `write` wrote."""
        told = json.loads((folder / ANSWER_FILE).read_text(encoding="utf-8"))
        scores = [Scores(**one) for one in told.pop("scores")]
        tables = [Table(**one) for one in told.pop("tables")]
        return cls(scores=scores, tables=tables, **told)


def answer(question: Question, out: Path) -> Answer:
    """Answer a question.

    Args:
        question: See `Question`.
        out: Folder for pictures.

    Raises:
        ValueError: Any named error of nuzoo, of an event that the model does not read.
    """
    model = offered_models()[question.model]
    pipeline = load_pipeline(str(model.folder))
    if question.files:
        row, sample = event_of_files(pipeline, question.files, question.number), UPLOADED
    else:
        row, sample = sample_event(model, question.seed, question.wanted), None
    result = pipeline(row)
    display: EventDisplay = import_object(MODALITIES[model.modality].display)
    with png_alone():
        drawn = display.draw(row, out / STEM, prediction=result, sample=sample)
        why = _explained(model, pipeline, row, out / WHY, sample)
    picture, page = (next(file for file in drawn if file.suffix == ending) for ending in (".png", ".html"))
    return Answer(
        model=model.name,
        event=str(row["event_id"]),
        facts=display.facts(row, result),
        scores=scores_in(result),
        tables=tables_in(result),
        picture=picture.name,
        page=page.name,
        why=why.lines if why else (),
        why_picture=why.picture.name if why and why.picture else None,
    )


def _explained(
    model: OfferedModel, pipeline: EventPipeline, row: dict[str, Any], picture: Path, sample: str | None
) -> ExplainedEvent | None:
    if model.task.explainer is None:
        return None
    explainer: Explainer = import_object(model.task.explainer)
    try:
        found: ExplainedEvent = explainer.explain_event(
            pipeline.model.eval(), pipeline.image_processor, row, picture, sample=sample
        )
    except ExplanationError as error:
        return ExplainedEvent([str(error)])
    return found
