"""From models and a dataset by name to the numbers of their uncertainty together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.datasets_scripts.common.labelled_rows import check_modality
from nuzoo.evaluation.core.class_names import labels_by_name
from nuzoo.evaluation.core.errors import EvaluationError
from nuzoo.evaluation.core.evaluate_model import task_of
from nuzoo.evaluation.core.events import read_splits, select_events
from nuzoo.evaluation.core.inference import to_inference_device
from nuzoo.evaluation.core.provenance import describe_dataset
from nuzoo.evaluation.core.training_events import seen_events, training_warning
from nuzoo.evaluation.uncertainty.report import (
    TABLE,
    TEXT,
    Measured,
    draw_methods,
    measured,
    tables_text,
    write_table,
)
from nuzoo.evaluation.uncertainty.sampling import Network, sample_members, sample_passes
from nuzoo.files.atomic import write_atomically
from nuzoo.files.whole_folder import filling
from nuzoo.pipelines.loading import load_model

if TYPE_CHECKING:
    from datasets import Dataset


def measure_uncertainty(
    models: Sequence[str],
    data: str,
    out: Path,
    *,
    passes: int = 0,
    split: str = "test",
    batch_size: int = 16,
    sample: str | None = None,
) -> list[Measured]:
    """Measure networks as one, the first of them alone, and by passes that drop units by chance.

    Args:
        models: Folders or repositories of networks of one task with the same classes.
        data: Dataset folder or repository.
        out: Folder for `uncertainty.md`, `.csv` and figures.
        passes: Through the first of them; 0 asks none.
        split: Name of a split, or "all".
        batch_size: Events per batch.
        sample: What the events are called; needed unless they are our simulation.

    Returns:
        What was measured, by method and output.

    Raises:
        EvaluationError: Networks of other tasks or classes.
        DropsNothingError: Passes through one that drops nothing.
        UnusableDatasetError: No such split, or without the truth.
    """
    splits = read_splits(data, split)
    first = _loaded(models[0])
    model, processor = first
    check_modality(splits, processor.modality)
    targets = task_of(model)[0].targets_of(vars(model.config))
    rows: Dataset = select_events(splits, split, targets).rows
    for target in targets:
        rows = labels_by_name(rows, class_names_of(model.config, target), target)
    facts = describe_dataset(rows, sample)
    found = []
    if passes:
        told = sample_passes(*first, rows, passes=passes, targets=targets, batch_size=batch_size)
        found = measured(f"MC dropout, {passes} passes", told)
    members = sample_members(_members(first, models[1:]), rows, targets=targets, batch_size=batch_size)
    alone = measured("one network", {output: samples.first(1) for output, samples in members.items()})
    if len(models) > 1:
        found = measured(f"ensemble of {len(models)}", members) + found
    found = alone + found
    warnings = {training_warning(facts, seen_events(one, rows, processor.schema)) for one in models} - {None}
    told_warnings = [f"> **Warning:** {warning}." for warning in sorted(map(str, warnings))]
    with filling(out, TABLE) as partial:
        write_table(partial / TABLE, found)
        draw_methods(partial, found, facts)
        text = "\n\n".join(["# Uncertainty", *told_warnings, tables_text(found, facts)])
        write_atomically(partial / TEXT, f"{text}\n")
    return found


def _loaded(path: str) -> Network:
    model, processor = load_model(path)
    to_inference_device(model)
    return model, processor


def _members(first: Network, others: Sequence[str]) -> Iterator[Network]:
    """Give members one after the other, so that no more than two are in memory."""
    yield first
    for path in others:
        network = _loaded(path)
        if _answer(network) != _answer(first):
            raise EvaluationError(f"{path}: expected {_answer(first)} as the first, got {_answer(network)}")
        yield network


def _answer(network: Network) -> str:
    """Say what a network tells."""
    config: Any = network[0].config
    names = [*class_names_of(config), *chain.from_iterable(getattr(config, "other_classes", {}).values())]
    return f"{task_of(network[0])[0].name} in the classes {', '.join(names)}"
