"""From a model and a dataset by name to why it answers as it does, whatever the task."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from nuzoo.datasets_scripts.common.labelled_rows import check_modality
from nuzoo.evaluation.core.errors import ExplanationError, OptionError
from nuzoo.evaluation.core.evaluate_model import task_of
from nuzoo.evaluation.core.events import read_splits, select_events
from nuzoo.evaluation.core.inference import to_inference_device
from nuzoo.files.output_folder import check_output
from nuzoo.pipelines.loading import load_model
from nuzoo.registry import TASKS, import_object

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True)
class Explained:
    """What was found.

    Attributes:
        report: File.
        lines: What of it to say at once.
    """

    report: Path
    lines: Sequence[str]


@dataclass(frozen=True)
class ExplainedEvent:
    """Why a network answers as it does about one event.

    Attributes:
        lines: In words.
        picture: File, if there is one.
    """

    lines: Sequence[str]
    picture: Path | None = None


class Explainer(Protocol):
    """Says why networks for a task answer as they do: `nuzoo.registry.Task.explainer` names one.

    Attributes:
        options: Names of what `explain` takes beyond what it has for all tasks.
    """

    options: ClassVar[Collection[str]]

    @property
    def explain(self) -> Any:
        """Write a report and pictures, and return an `Explained`.

        It takes the network in evaluation mode, its processor, the `Dataset` of events with truth, and the
        folder; by name `name` of the model, `events` to show and `event_ids` of those to show instead,
        `batch_size`, `sample`, and `options`.

        Raises:
            EvaluationError: Nothing to explain, or a named event is not there.
        """

    @property
    def explain_event(self) -> Any:
        """Say why a network answers as it does about one event, and return an `ExplainedEvent`.

        It takes the network in evaluation mode, its processor, the row of the event, which needs no truth,
        and the file of a picture; by name `sample`.

        Raises:
            ExplanationError: There is nothing in the event to say it of.
        """


def explain_model(
    path: str,
    data: str,
    out: Path,
    *,
    split: str = "test",
    events: int = 5,
    event_ids: Sequence[str] | None = None,
    batch_size: int = 16,
    sample: str | None = None,
    **options: Any,
) -> Explained:
    """Say why a model answers as it does.

    Args:
        path: Model folder or repository.
        data: Dataset folder or repository.
        out: Folder for pictures and report.
        split: Of the dataset.
        events: How many to show.
        event_ids: Show these instead.
        batch_size: Events per batch.
        sample: What the events are called; needed unless they are our simulation.
        **options: Of the task's `Explainer`.

    Raises:
        ValueError: No such split or event, a task that is not explained, or nothing to explain.
        OptionError: An option of another task.
    """
    check_output(out)
    splits = read_splits(data, split)
    model, processor = load_model(path)
    task, _ = task_of(model)
    if task.explainer is None:
        known = [name for name, row in TASKS.items() if row.explainer]
        raise ExplanationError(f"expected a model for {' or '.join(known)}, got one for {task.name}")
    explainer: Explainer = import_object(task.explainer)
    if unknown := [f"--{name}" for name in options if name not in explainer.options]:
        raise OptionError(
            f"{', '.join(unknown)}: expected options of {task.name}, which is what the model is for and has "
            f"{', '.join(f'--{name}' for name in explainer.options)}: leave it out"
        )
    check_modality(splits, processor.modality)
    rows: Dataset = select_events(splits, split, task.targets_of(vars(model.config))).rows
    to_inference_device(model.eval())
    given = {"events": events, "event_ids": event_ids, "batch_size": batch_size, "sample": sample}
    found: Explained = explainer.explain(
        model, processor, rows, out, name=Path(path).name, **given, **options
    )
    return found
