"""`nuzoo evaluate --compare`: several models on the same events, side by side."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError, check_detector, check_modality
from nuzoo.evaluation.core.errors import ComparisonError
from nuzoo.evaluation.core.evaluate_model import check_calibrates, check_options, evaluate_model, task_of
from nuzoo.evaluation.core.evaluator import TaskEvaluator
from nuzoo.evaluation.core.events import read_splits, select_events
from nuzoo.evaluation.core.inference import to_inference_device
from nuzoo.evaluation.core.results import Subject
from nuzoo.evaluation.core.style import PALETTE
from nuzoo.evaluation.core.training_events import seen_events, training_warning
from nuzoo.evaluation.core.training_facts import training_of
from nuzoo.files.names import RESULTS_FILE
from nuzoo.files.output_folder import check_output
from nuzoo.pipelines.loading import load_model

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedConfig

Evaluate = Callable[..., Any]

MOST_MODELS = len(PALETTE)
"""More lines in one plot cannot be told apart."""


def evaluate_alone(*args: Any, begin: Callable[[], None] | None = None, **options: Any) -> None:
    """Call `evaluate_model` in a process of its own, whose peak memory is that of this model alone.

    Args:
        *args: Of `evaluate_model`.
        begin: Called first in that process.
        **options: Of `evaluate_model`.
    """
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=begin) as process:
            process.submit(evaluate_model, *args, **options).result()
    except BrokenProcessPool as error:
        raise ComparisonError(
            f"{args[0]}: the process that measured it was ended from outside; if the memory was too small, "
            "give a smaller --batch-size"
        ) from error


def compare_models(
    paths: Sequence[str],
    data: str,
    out: Path,
    *,
    split: str = "test",
    calibrate: bool = False,
    batch_size: int = 16,
    sample: str | None = None,
    evaluate: Evaluate = evaluate_alone,
    **options: Any,
) -> Path:
    """Measure models of one task on the same events and write the comparison.

    A model whose evaluation is in its folder already, with the same weights, processor, events and
    settings, is not measured again.

    Args:
        paths: Model folders or repositories.
        data: Dataset folder or repository.
        out: Folder; each model gets one in it.
        split: See `evaluate_model`.
        calibrate: See `evaluate_model`.
        batch_size: Events per batch.
        sample: What the events are called.
        evaluate: Measures one model.
        **options: Of the task.

    Returns:
        The report of the comparison.

    Raises:
        ComparisonError: Models that cannot be compared, or that cannot read the events.
        ValueError: See `evaluate_model`.
    """
    names = dict(zip(output_names(paths), paths, strict=True))
    if calibrate and (remote := [path for path in paths if not Path(path).is_dir()]):
        raise ValueError(f"--calibrate: expected model folders, got {', '.join(remote)}")
    check_output(out)
    splits = read_splits(data, split)
    if calibrate:
        check_calibrates(data, split, splits)
    asked = {"batch_size": batch_size, **options}
    examined = {name: _examine(path, splits, split, sample, **asked) for name, path in names.items()}
    subjects = {name: subject for name, (_, subject, _) in examined.items()}
    evaluators = {evaluator.task: evaluator for evaluator, _, _ in examined.values()}
    if len(evaluators) > 1:
        raise ComparisonError(f"expected models of one task, got {', '.join(sorted(evaluators))}")
    comparison = next(iter(evaluators.values())).comparison
    assert comparison is not None
    comparison.check(subjects)
    for name, subject in subjects.items():
        if warning := training_warning(subject.dataset, subject.seen):
            print(f"warning: {name}: {warning}", file=sys.stderr)
    asked["calibrate"] = calibrate
    for name, (_, subject, config) in examined.items():
        if comparison.is_measured(out / name, subject, config, **asked):
            print(f"{name}: measured before, see {out / name}")
        else:
            evaluate(names[name], data, out / name, split=split, sample=sample, **asked)
    events = len(splits["train"]) if "train" in splits else None
    trainings = {name: training_of(path, data, events) for name, path in names.items()}
    report = comparison.write(trainings, out)
    for name, (evaluator, _, _) in examined.items():
        first = evaluator.headline(evaluator.read_results(out / name / RESULTS_FILE))[0]
        print(f"{name}: {first.told}")
    return report


def output_names(paths: Sequence[str]) -> list[str]:
    """Choose a folder name for each model: its own, with those above it where two are called the same.

    Raises:
        ComparisonError: One model, too many, or the same one twice.
    """
    if not 2 <= len(paths) <= MOST_MODELS:
        raise ComparisonError(
            f"expected 2 to {MOST_MODELS} models to compare, got {len(paths)}: {', '.join(paths)}"
        )
    parts = [_parts(path) for path in paths]
    if twice := [path for path, own in zip(paths, parts, strict=True) if parts.count(own) > 1]:
        raise ComparisonError(f"expected different models, got the same twice: {', '.join(twice)}")
    names = [own[-1] for own in parts]
    for depth in range(2, max(map(len, parts)) + 1):
        counts, longer = Counter(names), ["-".join(own[-depth:]) for own in parts]
        names = [more if counts[name] > 1 else name for name, more in zip(names, longer, strict=True)]
    return names


def _parts(path: str) -> tuple[str, ...]:
    if not Path(path).exists():
        return tuple(path.split("/"))
    return tuple(part for part in Path(path).resolve().parts if part != os.sep)


def _examine(
    path: str, splits: Mapping[str, Dataset], split: str, sample: str | None, **options: Any
) -> tuple[TaskEvaluator, Subject, PreTrainedConfig]:
    """Identify a network, and try it on one event of each detector."""
    model, processor = load_model(path)
    task, evaluator = task_of(model)
    if evaluator.comparison is None:
        raise ComparisonError(f"{path}: expected a model of a task with a comparison, got {task.name}")
    own = {name: value for name, value in options.items() if name != "batch_size"}
    check_options(evaluator, own, as_saved="--compare")
    try:
        check_modality(splits, processor.modality)
        events = select_events(splits, split, task.targets_of(vars(model.config)))
        check_detector(events.rows, split, processor.detector)
    except UnusableDatasetError as error:
        raise ComparisonError(f"{path} cannot be measured on these events: {error}") from error
    events = replace(events, seen=seen_events(path, events.rows, processor.schema))
    to_inference_device(model)
    few = events.one_per_detector()
    subject = evaluator.describe(model, processor, events, sample)
    try:
        with tempfile.TemporaryDirectory() as trial:
            evaluator.evaluate(model, processor, few, out=Path(trial), sample=sample, **options)
    except (ValueError, RuntimeError) as error:
        raise ComparisonError(f"{path} cannot be measured on these events: {error}") from error
    config = model.config
    del model
    gc.collect()
    torch.cuda.empty_cache()
    return evaluator, subject, config
