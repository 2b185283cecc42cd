"""Every number of a classifier's evaluation, with its error, from logits and truth alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nuzoo.evaluation.core.bootstrap import bootstrap, wilson_interval
from nuzoo.evaluation.core.calibration import (
    expected_calibration_error,
    expected_error_if_calibrated,
    negative_log_likelihood,
    probabilities,
)
from nuzoo.evaluation.core.errors import NonFiniteOutputError, ShapeMismatchError
from nuzoo.evaluation.tasks.event_classification import formulas as metrics

DEFAULT_ENERGY_EDGES = tuple(float(edge) for edge in range(11))
"""GeV. Ten bins over the flat 0 to 10 GeV spectrum of the LArTPC sample."""

Numbers = dict[str, NDArray[np.float64]]


def classification_results(
    logits: ArrayLike,
    labels: ArrayLike,
    class_names: Sequence[str],
    *,
    energy: ArrayLike | None = None,
    energy_edges: Sequence[float] = DEFAULT_ENERGY_EDGES,
    temperature: float = 1.0,
    alternatives: Mapping[str, ArrayLike] | None = None,
    replicas: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Compute metrics, confusion matrices, calibration and energy dependence.

    Areas and calibration use the calibrated probabilities, softmax(logits / temperature), which
    are the ones that users get; the predicted class does not depend on the temperature.

    Args:
        logits: (n, C), n > 0.
        labels: True classes, int (n,).
        class_names: C names.
        energy: Neutrino energies in GeV (n,), NaN where unknown; None leaves this part out.
        energy_edges: GeV, increasing.
        temperature: Fitted on other events (`nuzoo.evaluation.core.calibration.fit_temperature`).
        alternatives: Logits (n, C) of the same events seen differently, e.g. at half resolution.
            Differences to the nominal numbers are bootstrapped event by event (paired).
        replicas: Bootstrap replicas.
        seed: Seed of the bootstrap.

    Returns:
        Dictionary ready for JSON; numbers are {value, error, low, high}: error is the bootstrap
        standard deviation; low and high are the central 68.27 % of the replicas, or for simple
        fractions (those that also carry `events`, their denominator) the Wilson interval.
        Calibration errors have no interval: a replica repeats the fluctuations of the sample and
        adds its own, so that its percentiles lie above the value; compare with `ece_if_perfect`.

    Raises:
        ShapeMismatchError: Arrays do not fit together.
        NonFiniteOutputError: A logit is NaN or infinite.
        MissingTruthError: A label is not in [0, C).
    """
    labels = np.asarray(labels, dtype=np.int64)
    logits = checked_logits(logits, len(labels), len(class_names))
    others = {
        name: checked_logits(other, len(labels), len(class_names))
        for name, other in (alternatives or {}).items()
    }
    metrics.check_classes(labels, len(class_names), "label")
    groups = None if energy is None else metrics.energy_bin(energy, energy_edges)

    def statistic(weights: NDArray[np.float64]) -> Numbers:
        numbers = _nominal(logits, labels, temperature, weights)
        for name, other in others.items():
            changed = _scores(probabilities(other, temperature), labels, weights)
            numbers |= {f"{name}.{key}": value for key, value in changed.items()}
            numbers |= {f"{name}.{key}_change": changed[key] - numbers[key] for key in changed}
        if groups is not None:
            counts = _per_bin(logits, labels, groups, len(energy_edges) - 1, weights)
            numbers["efficiency"] = metrics.recall_per_class(counts)
            numbers["purity"] = metrics.precision_per_class(counts)
        return numbers

    numbers = bootstrap(statistic, len(labels), replicas, seed)
    confusion = metrics.confusion_counts(labels, logits.argmax(1), len(class_names))
    results = {
        "metrics": _metrics(numbers, confusion, class_names),
        "calibration": _calibration(numbers, probabilities(logits, temperature), seed),
        "bootstrap": {"replicas": replicas, "seed": seed, "interval": "central 68.27 %"},
    }
    if others:
        results["half_resolution"] = {name: _with_prefix(numbers, name) for name in others}
    if groups is not None:
        counts = _per_bin(logits, labels, groups, len(energy_edges) - 1)
        results["energy"] = _energy(numbers, counts, class_names, energy_edges)
        results["energy"]["events_outside"] = int((groups < 0).sum())
    return results


def checked_logits(logits: ArrayLike, events: int, classes: int) -> NDArray[np.float64]:
    """Return logits as float64 (events, classes), or say what is wrong with them.

    Raises:
        ShapeMismatchError: Another shape, or no events.
        NonFiniteOutputError: NaN or infinity.
    """
    logits = np.asarray(logits, dtype=np.float64)
    if logits.shape != (events, classes) or events == 0:
        raise ShapeMismatchError(
            f"logits must be ({events}, {classes}) for {events} > 0 labels and {classes} class "
            f"names, got {logits.shape}"
        )
    bad = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if len(bad):
        raise NonFiniteOutputError(
            f"logits must be finite, but those of {len(bad)} events are not (first: event "
            f"{bad[0]}); check the checkpoint and try float32"
        )
    return logits


def _scores(
    probability: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64]
) -> Numbers:
    classes = probability.shape[1]
    confusion = metrics.confusion_counts(labels, probability.argmax(1), classes, weights)
    area = metrics.one_vs_rest_auc(labels, probability, weights)
    return {
        "accuracy": metrics.accuracy(confusion),
        "macro_precision": metrics.macro_precision(confusion),
        "macro_recall": metrics.macro_recall(confusion),
        "macro_auc": metrics.macro_auc(area),
    }


def _nominal(
    logits: NDArray[np.float64],
    labels: NDArray[np.int64],
    temperature: float,
    weights: NDArray[np.float64],
) -> Numbers:
    raw, calibrated = probabilities(logits), probabilities(logits, temperature)
    classes = logits.shape[1]
    confusion = metrics.confusion_counts(labels, logits.argmax(1), classes, weights)
    area = metrics.one_vs_rest_auc(labels, calibrated, weights)
    return {
        "accuracy": metrics.accuracy(confusion),
        "macro_precision": metrics.macro_precision(confusion),
        "macro_recall": metrics.macro_recall(confusion),
        "macro_auc": metrics.macro_auc(area),
        "auc": area,
        "precision": metrics.precision_per_class(confusion),
        "recall": metrics.recall_per_class(confusion),
        "recall_normalised": metrics.recall_normalised(confusion),
        "precision_normalised": metrics.precision_normalised(confusion),
        "ece_before": expected_calibration_error(labels, raw, weights),
        "ece_after": expected_calibration_error(labels, calibrated, weights),
        "nll_before": negative_log_likelihood(labels, raw, weights),
        "nll_after": negative_log_likelihood(labels, calibrated, weights),
    }


def _per_bin(
    logits: NDArray[np.float64],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    bins: int,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    classes = logits.shape[1]
    return metrics.confusion_counts(labels, logits.argmax(1), classes, weights, groups, bins)


def _metrics(
    numbers: dict[str, Any], confusion: NDArray[np.float64], class_names: Sequence[str]
) -> dict[str, Any]:
    true_events = np.broadcast_to(confusion.sum(axis=1, keepdims=True), confusion.shape)
    predicted_events = np.broadcast_to(confusion.sum(axis=0, keepdims=True), confusion.shape)
    overall = ("accuracy", "macro_precision", "macro_recall", "macro_auc")
    per_class = ("auc", "precision", "recall")
    return {
        **{name: numbers[name] for name in overall},
        **{name: dict(zip(class_names, numbers[name], strict=True)) for name in per_class},
        "confusion": {
            "counts": confusion.astype(int).tolist(),
            "recall_normalised": as_fractions(numbers["recall_normalised"], confusion, true_events),
            "precision_normalised": as_fractions(
                numbers["precision_normalised"], confusion, predicted_events
            ),
        },
    }


def _calibration(numbers: dict[str, Any], calibrated: NDArray[np.float64], seed: int) -> dict[str, Any]:
    perfect = expected_error_if_calibrated(calibrated, seed=seed)
    return {
        "ece_before": _without_interval(numbers["ece_before"]),
        "ece_after": _without_interval(numbers["ece_after"]),
        "nll_before": numbers["nll_before"],
        "nll_after": numbers["nll_after"],
        "ece_if_perfect": {
            "value": float(perfect.mean()),
            "error": float(perfect.std(ddof=1)),
            "low": float(np.quantile(perfect, 0.1587)),
            "high": float(np.quantile(perfect, 0.8413)),
        },
    }


def _without_interval(number: dict[str, Any]) -> dict[str, Any]:
    """Drop the percentiles of a calibration error: replicas fluctuate twice, so they lie too high."""
    return number | {"low": None, "high": None}


def _energy(
    numbers: dict[str, Any],
    counts: NDArray[np.float64],
    class_names: Sequence[str],
    edges: Sequence[float],
) -> dict[str, Any]:
    passed = np.diagonal(counts, axis1=-2, axis2=-1)
    efficiency = as_fractions(numbers["efficiency"], passed, counts.sum(axis=-1))
    purity = as_fractions(numbers["purity"], passed, counts.sum(axis=-2))
    return {
        "edges_gev": [float(edge) for edge in edges],
        "efficiency": {name: [b[c] for b in efficiency] for c, name in enumerate(class_names)},
        "purity": {name: [b[c] for b in purity] for c, name in enumerate(class_names)},
    }


def as_fractions(estimates: Any, passed: NDArray[np.float64], total: NDArray[np.float64]) -> Any:
    """Give bootstrap estimates of fractions their Wilson interval and their denominator.

    The bootstrap interval of a fraction has no width when none or all of the events pass.

    Args:
        estimates: Nested lists of numbers (`nuzoo.evaluation.core.bootstrap.estimate`).
        passed: Numerators, in the same shape.
        total: Denominators, in the same shape.

    Returns:
        The same nesting, with `low` and `high` replaced and `events` added.
    """
    if isinstance(estimates, list):
        return [as_fractions(e, p, t) for e, p, t in zip(estimates, passed, total, strict=True)]
    number = dict(estimates, events=int(total))
    if total > 0:
        low, high = wilson_interval(passed, total)
        number |= {"low": float(low), "high": float(high)}
    return number


def _with_prefix(numbers: dict[str, Any], prefix: str) -> dict[str, Any]:
    start = f"{prefix}."
    return {key.removeprefix(start): n for key, n in numbers.items() if key.startswith(start)}
