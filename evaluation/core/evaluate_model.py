"""From a model and a dataset by name to a written report, whatever the task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.datasets_scripts.common.labelled_rows import check_modality
from nuzoo.evaluation.core.errors import EvaluationError, OptionError
from nuzoo.evaluation.core.events import read_splits, select_events
from nuzoo.evaluation.core.inference import to_inference_device
from nuzoo.evaluation.core.training_events import seen_events
from nuzoo.files.names import RESULTS_FILE
from nuzoo.files.output_folder import check_output
from nuzoo.files.whole_folder import filling
from nuzoo.pipelines.loading import load_model
from nuzoo.registry import ARCHITECTURES, TASKS, Task, import_object

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel

    from nuzoo.evaluation.core.evaluator import TaskEvaluator
    from nuzoo.evaluation.core.results import Results
    from nuzoo.processors.contract import EventProcessor

    Load = Callable[[str, Dataset | None], tuple[PreTrainedModel, EventProcessor]]


def task_of(model: PreTrainedModel) -> tuple[Task, TaskEvaluator]:
    """Find the task of a network and what measures it.

    Raises:
        EvaluationError: It has no task, or one that is not measured.
    """
    row = ARCHITECTURES.get(model.config.model_type)
    task = None if row is None else row.task_of(type(model).__name__)
    if task is None or task.evaluator is None:
        raise EvaluationError(
            f"expected a network for a task that can be measured, got a {type(model).__name__}: "
            "see TASKS and ARCHITECTURES in nuzoo.registry"
        )
    evaluator: TaskEvaluator = import_object(task.evaluator)
    return task, evaluator


def check_options(evaluator: TaskEvaluator, options: Mapping[str, Any], *, as_saved: str | None) -> None:
    """Refuse options, by name, that a task does not have, or that do not go with others.

    Args:
        evaluator: Of the task.
        options: Those that were given.
        as_saved: What asks for a model that is measured as it was saved, if anything does.

    Raises:
        OptionError: With the options.
    """
    known = {option.name: option for option in evaluator.options}
    if unknown := [name for name in options if name not in known]:
        raise OptionError(
            f"{_flags(unknown)}: expected options of {evaluator.task}, which is what the model is for and "
            f"has {_flags(known) or 'none of its own'}, got {'; '.join(map(_with_its_task, unknown))}: "
            f"leave out {_flags(unknown)}"
        )
    if as_saved and (altering := [name for name in options if known[name].alters_model]):
        raise OptionError(
            f"{as_saved}: expected a model that is asked as it was saved, got {_flags(altering)} as well: "
            "leave them out"
        )


def evaluate_model(
    path: str,
    data: str,
    out: Path,
    *,
    split: str = "test",
    calibrate: bool = False,
    batch_size: int = 16,
    sample: str | None = None,
    load: Load | None = None,
    **options: Any,
) -> tuple[TaskEvaluator, Results]:
    """Measure a model at its task and write the report, whole or not at all.

    Args:
        path: Model folder or repository, or what `load` reads.
        data: Dataset folder or repository.
        out: Folder of the report.
        split: Name of a split, or "all".
        calibrate: Store in the model's folder what calibrates it.
        batch_size: Events per batch.
        sample: What the events are called.
        load: Gives the network and its processor, with the help of the training events.
        **options: Of the task.

    Returns:
        What measures the task, and the results.

    Raises:
        ValueError: A dataset without this split or the truth, a folder that cannot be written to, or no
            folder to calibrate.
        OptionError: An option of another task, or nothing to calibrate.
    """
    if calibrate and not Path(path).is_dir():
        raise ValueError(f"--calibrate: expected a model folder, got {path}")
    check_output(out)
    splits = read_splits(data, split)
    if calibrate:
        check_calibrates(data, split, splits)
    model, processor = load(path, splits.get("train")) if load else load_model(path)
    task, evaluator = task_of(model)
    check_options(evaluator, options, as_saved="--calibrate" if calibrate else None)
    if calibrate and evaluator.store_calibration is None:
        raise OptionError(f"--calibrate: {task.name} has nothing to calibrate, leave it out")
    check_modality(splits, processor.modality)
    events = select_events(splits, split, task.targets_of(vars(model.config)))
    events = replace(events, seen=seen_events(path, events.rows, processor.schema))
    to_inference_device(model)
    options |= {"batch_size": batch_size, "sample": sample}
    with filling(out, RESULTS_FILE) as partial:
        results = evaluator.evaluate(model, processor, events, out=partial, **options)
        evaluator.write_report(partial)
        if calibrate and evaluator.store_calibration is not None:
            evaluator.store_calibration(model, Path(path), results)
    return evaluator, results


def check_calibrates(data: str, split: str, splits: Mapping[str, Dataset]) -> None:
    """Refuse, with a ValueError, to calibrate without events for it."""
    if split == "all" or "validation" not in splits:
        raise ValueError(f"--calibrate: {data} has no split 'validation' besides {split!r} to calibrate on")


def _with_its_task(name: str) -> str:
    """Say which tasks an option is for."""
    evaluators = [import_object(task.evaluator) for task in TASKS.values() if task.evaluator]
    tasks = [of.task for of in evaluators if name in (option.name for option in of.options)]
    return f"{_flags([name])} of {' and '.join(dict.fromkeys(tasks)) or 'no task'}"


def _flags(names: Iterable[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)
