"""Every number of an evaluation of instances, with its error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.bootstrap import bootstrap, wilson_interval
from nuzoo.evaluation.core.event_quantiles import EventValues
from nuzoo.evaluation.core.results import Bootstrap, Fraction
from nuzoo.evaluation.tasks.particle_segmentation.regression import regression_scores
from nuzoo.evaluation.tasks.particle_segmentation.results import PER_CLASS, InstanceMetrics
from nuzoo.evaluation.tasks.particle_segmentation.scores import SIZE_EDGES, EventCounts, scores


def instance_metrics(
    counts: EventCounts,
    class_names: Sequence[str],
    replicas: int = 1000,
    seed: int = 0,
    *,
    errors: Mapping[str, EventValues] | None = None,
) -> tuple[InstanceMetrics, Bootstrap]:
    """Compute the scores with their errors, by bootstrap over events.

    Args:
        counts: Of n events.
        class_names: Of the C classes.
        replicas: Of the bootstrap.
        seed: Of the bootstrap.
        errors: Of what else is told of instances, see `regression_scores`.
    """
    errors = errors or {}

    def statistic(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        return scores(counts, weights) | regression_scores(errors, weights)

    numbers = bootstrap(statistic, len(counts.iou), replicas, seed)
    total, passed = counts.by_size.sum(axis=0).T
    numbers["recall_by_size"] = [
        _fraction(number, part, whole)
        for number, part, whole in zip(numbers["recall_by_size"], passed, total, strict=True)
    ]
    for key in PER_CLASS:
        numbers[key] = dict(zip(class_names, numbers[key], strict=True))
    numbers["confusion"] = counts.confusion.sum(axis=0).astype(int).tolist()
    numbers["size_edges"] = list(SIZE_EDGES)
    if errors:
        numbers["compared"] = {name: len(of.value) for name, of in errors.items()}
    known = {field.name: numbers[field.name] for field in fields(InstanceMetrics) if field.name in numbers}
    return InstanceMetrics(**known), Bootstrap(replicas=replicas, seed=seed)


def _fraction(number: object, passed: float, total: float) -> Fraction:
    """Give a part of instances with its Wilson interval."""
    interval = {}
    if total:
        low, high = wilson_interval(np.asarray(passed), np.asarray(total))
        interval = {"low": float(low), "high": float(high)}
    return Fraction(**vars(number) | interval, events=int(total))
