"""`nuzoo evaluate --compare`: several classifiers on the same events, side by side."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from nuzoo.evaluation.comparison.comparison import check_classes_agree, check_number, read_compared
from nuzoo.evaluation.comparison.measured_before import is_measured
from nuzoo.evaluation.comparison.report import write_comparison
from nuzoo.evaluation.comparison.training_of_model import training_of
from nuzoo.evaluation.core.errors import ComparisonError
from nuzoo.evaluation.core.inference import classify_dataset
from nuzoo.evaluation.tasks.event_classification.evaluate_classifier import (
    HALF_RESOLUTIONS,
    describe_evaluation,
)
from nuzoo.evaluation.tasks.event_classification.measure import (
    Events,
    evaluate_and_report,
    inference_device,
    read_events,
)
from nuzoo.evaluation.tasks.event_classification.results import DEFAULT_ENERGY_EDGES
from nuzoo.files.output_folder import check_output
from nuzoo.pipelines.loading import load_model

Evaluate = Callable[..., Any]


def evaluate_alone(*args: Any, **options: Any) -> None:
    """`evaluate_and_report` in a process of its own, whose peak memory is that of this model alone."""
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            process.submit(_evaluate, args, options).result()
    except BrokenProcessPool as error:
        raise ComparisonError(
            f"{args[0]}: the process that measured it was ended from outside; if the memory was too small, "
            "give a smaller --batch-size"
        ) from error


def _evaluate(args: tuple[Any, ...], options: dict[str, Any]) -> None:
    evaluate_and_report(*args, **options)


def compare_models(
    paths: Sequence[str],
    data: str,
    out: Path,
    *,
    split: str = "test",
    calibrate: bool = False,
    batch_size: int = 16,
    energy_edges: list[float] | None = None,
    sample: str | None = None,
    evaluate: Evaluate = evaluate_alone,
) -> Path:
    """Measures models on the same events and writes the comparison.

    A model whose evaluation is in its folder already, with the same weights, processor, events and
    settings, is not measured again.

    Args:
        paths: Model folders or repositories.
        data: Dataset folder or repository.
        out: Folder; each model gets one in it.
        split: See `evaluate_and_report`.
        calibrate: Store the fitted temperature in each model.
        batch_size: Events per batch.
        energy_edges: Bins of efficiency and purity, GeV.
        sample: What the events are called.
        evaluate: Measures one model.

    Returns:
        Path of `comparison.md`.

    Raises:
        ComparisonError: Models that cannot be compared, or that cannot read the events.
        ValueError: See `evaluate_and_report`.
    """
    names = output_names(paths)
    if calibrate and (remote := [path for path in paths if not Path(path).is_dir()]):
        raise ValueError(f"--calibrate: expected model folders, got {', '.join(remote)}")
    check_output(out)
    events = read_events(data, split, calibrate)
    examined = {
        name: _examine(path, events, sample, batch_size) for path, name in zip(paths, names, strict=True)
    }
    check_classes_agree({name: subject["class_names"] for name, (subject, _) in examined.items()})
    for path, name in zip(paths, names, strict=True):
        subject, temperature = examined[name]
        needed = temperature if calibrate or events.validation is None else None
        if is_measured(
            out / name,
            subject,
            temperature=needed,
            batch_size=batch_size,
            energy_edges=energy_edges or DEFAULT_ENERGY_EDGES,
        ):
            print(f"{name}: measured before, see {out / name}")
            continue
        evaluate(
            path,
            data,
            out / name,
            split=split,
            calibrate=calibrate,
            batch_size=batch_size,
            energy_edges=energy_edges,
            sample=sample,
        )
    models = [
        read_compared(out / name, name, training_of(path, data, events))
        for path, name in zip(paths, names, strict=True)
    ]
    return write_comparison(models, out)


def output_names(paths: Sequence[str]) -> list[str]:
    """A folder name for each model: its own, with those above it where two are called the same.

    Raises:
        ComparisonError: One model, too many, or the same one twice.
    """
    check_number(paths)
    parts = [_parts(path) for path in paths]
    if twice := [path for path, own in zip(paths, parts, strict=True) if parts.count(own) > 1]:
        raise ComparisonError(f"expected different models, got the same twice: {', '.join(twice)}")
    names = [own[-1] for own in parts]
    for depth in range(2, max(map(len, parts)) + 1):
        counts = Counter(names)
        names = [
            "-".join(own[-depth:]) if counts[name] > 1 else name
            for own, name in zip(parts, names, strict=True)
        ]
    return names


def _parts(path: str) -> tuple[str, ...]:
    if not Path(path).exists():
        return tuple(path.split("/"))
    return tuple(part for part in Path(path).resolve().parts if part != os.sep)


def _examine(path: str, events: Events, sample: str | None, batch_size: int) -> tuple[dict[str, Any], float]:
    """What would be measured of a model, and its temperature, after a trial on one event per detector."""
    import torch

    model, processor = load_model(path)
    model = model.to(inference_device())
    subject = describe_evaluation(model, processor, events.rows, events.validation, sample)
    try:
        for half_resolution in (None, *HALF_RESOLUTIONS):
            classify_dataset(
                model,
                processor,
                events.one_per_detector(),
                batch_size=batch_size,
                half_resolution=half_resolution,
                description=f"try {Path(path).name}",
            )
    except (ValueError, RuntimeError) as error:
        raise ComparisonError(f"{path} cannot classify these events: {error}") from error
    temperature = float(getattr(model.config, "temperature", 1.0))
    del model
    gc.collect()
    torch.cuda.empty_cache()
    return subject, temperature
