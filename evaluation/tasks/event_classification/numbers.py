"""Every number of a classifier's evaluation, with its error, from logits and truth alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr as entropy

from nuzoo.evaluation.core import classification as metrics
from nuzoo.evaluation.core.bootstrap import bootstrap, wilson_interval
from nuzoo.evaluation.core.calibration import (
    expected_error_if_calibrated,
    negative_log_likelihood,
    probabilities,
    reliability,
)
from nuzoo.evaluation.core.errors import ShapeMismatchError
from nuzoo.evaluation.core.results import Fraction, Number
from nuzoo.evaluation.tasks.event_classification.results import (
    NOT_FITTED,
    OVERALL,
    PER_CLASS,
    Bootstrap,
    Calibration,
    ClassificationNumbers,
    Confusion,
    Energy,
    Metrics,
    Temperature,
)
from nuzoo.pipelines.pipeline_errors import NonFiniteOutputError

MOST_ENERGY_BINS = 10
EVENTS_PER_ENERGY_BIN = 40
ENERGY_TAIL = 0.005
"""Part of the events on either side of the bins that is not asked for its energy."""

UNFITTED = Temperature(value=1.0, error=None, fitted_on=NOT_FITTED)


def energy_edges_of(energy: ArrayLike) -> list[float]:
    """Choose bins for events by their energies: round edges over nearly all of them, fewer of few events.

    Args:
        energy: GeV (n,), NaN where unknown; one at least is known.

    Returns:
        Edges, GeV, rising in equal steps of 1, 2 or 5 times a power of ten.
    """
    values = np.asarray(energy, dtype=np.float64)
    low, high = np.quantile(values[np.isfinite(values)], [ENERGY_TAIL, 1 - ENERGY_TAIL])
    most = int(np.clip(np.isfinite(values).sum() // EVENTS_PER_ENERGY_BIN, 1, MOST_ENERGY_BINS))
    exponent = math.floor(math.log10(max(high - low, high / 2, 1e-6) / most))
    for power in count(exponent):
        for multiple in (1, 2, 5):
            step = multiple * 10.0**power
            first = math.floor(low / step)
            last = max(math.ceil(high / step), first + 1)
            if last - first <= most:
                return [round(number * step, 12) for number in range(first, last + 1)]
    raise AssertionError


def classification_numbers(
    logits: ArrayLike,
    labels: ArrayLike,
    class_names: Sequence[str],
    *,
    energy: ArrayLike | None = None,
    energy_edges: Sequence[float] | None = None,
    temperature: Temperature = UNFITTED,
    alternatives: Mapping[str, ArrayLike] | None = None,
    replicas: int = 1000,
    seed: int = 0,
) -> ClassificationNumbers:
    """Compute metrics, confusion matrices, calibration and energy dependence.

    Areas and calibration use the calibrated probabilities, softmax(logits / temperature), which
    are the ones that users get; the predicted class does not depend on the temperature.

    Args:
        logits: (n, C), n > 0.
        labels: True classes, int (n,).
        class_names: Of the C classes.
        energy: Neutrino energies in GeV (n,), NaN where unknown; where all are, or without it, this part is
            left out.
        energy_edges: GeV, increasing; chosen by `energy_edges_of` where there are none.
        temperature: Fitted on other events (`nuzoo.evaluation.core.calibration.fit_temperature`).
        alternatives: Logits (n, C) of the same events seen differently, e.g. at half resolution.
            Differences to the nominal numbers are bootstrapped event by event (paired).
        replicas: Bootstrap replicas.
        seed: Seed of the bootstrap.

    Returns:
        Errors are bootstrap standard deviations; low and high are the central 68.27 % of the replicas, or
        for `Fraction`s the Wilson interval.

    Raises:
        ShapeMismatchError: Arrays do not fit together.
        NonFiniteOutputError: A logit is NaN or infinite.
        MissingTruthError: A label is not in [0, C).
    """
    labels = np.asarray(labels, dtype=np.int64)
    names, divisor = list(class_names), float(temperature.value)
    logits = checked_logits(logits, len(labels), len(names))
    metrics.check_classes(labels, len(names), "label")
    seen_otherwise = {
        name: probabilities(checked_logits(other, len(labels), len(names)), divisor)
        for name, other in (alternatives or {}).items()
    }
    raw, calibrated = probabilities(logits), probabilities(logits, divisor)
    is_right, certainty = logits.argmax(1) == labels, -entropy(calibrated).sum(axis=1)
    groups, edges = None, list(energy_edges or ())
    if energy is not None and np.isfinite(np.asarray(energy, dtype=np.float64)).any():
        edges = edges or energy_edges_of(energy)
        groups = metrics.energy_bin(energy, edges)

    def in_bins(weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
        return metrics.confusion_counts(labels, logits.argmax(1), len(names), weights, groups, len(edges) - 1)

    def statistic(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        numbers = scores(calibrated, labels, weights)
        for when, probability in (("before", raw), ("after", calibrated)):
            numbers[f"ece_{when}"] = reliability(labels, probability, weights).error
            numbers[f"nll_{when}"] = negative_log_likelihood(labels, probability, weights)
        numbers["certainty_auc"] = metrics.roc_area(is_right, certainty, weights)
        for name, probability in seen_otherwise.items():
            changed = scores(probability, labels, weights)
            numbers |= {f"{name}.{key}": changed[key] for key in OVERALL}
            numbers |= {f"{name}.{key}_change": changed[key] - numbers[key] for key in OVERALL}
        if groups is not None:
            counts = in_bins(weights)
            numbers["efficiency"] = metrics.recall_per_class(counts).swapaxes(-1, -2)
            numbers["purity"] = metrics.precision_per_class(counts).swapaxes(-1, -2)
        return numbers

    numbers = bootstrap(statistic, len(labels), replicas, seed)
    found = None
    if groups is not None:
        counts = in_bins(None)
        passed = np.diagonal(counts, axis1=-2, axis2=-1).T
        efficiency = _fractions(numbers["efficiency"], passed, counts.sum(axis=-1).T)
        purity = _fractions(numbers["purity"], passed, counts.sum(axis=-2).T)
        found = Energy(
            edges_gev=[float(edge) for edge in edges],
            efficiency=dict(zip(names, efficiency, strict=True)),
            purity=dict(zip(names, purity, strict=True)),
            events_outside=int((groups < 0).sum()),
        )
    return ClassificationNumbers(
        metrics=_metrics(numbers, metrics.confusion_counts(labels, logits.argmax(1), len(names)), names),
        calibration=calibration_of(numbers, calibrated, seed, temperature),
        bootstrap=Bootstrap(replicas=replicas, seed=seed),
        half_resolution={
            name: {key: numbers[f"{name}.{key}"] for key in (*OVERALL, *(f"{key}_change" for key in OVERALL))}
            for name in seen_otherwise
        }
        or None,
        energy=found,
    )


def checked_logits(logits: ArrayLike, events: int, classes: int) -> NDArray[np.float64]:
    """Return logits as float64 (events, classes), or raise what is wrong with their shape or numbers."""
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


def scores(
    probability: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Compute every metric of `Metrics`, see `nuzoo.evaluation.core.classification`."""
    confusion = metrics.confusion_counts(labels, probability.argmax(1), probability.shape[1], weights)
    area = metrics.one_vs_rest_auc(labels, probability, weights)
    return {
        "accuracy": metrics.accuracy(confusion),
        "macro_precision": metrics.macro_precision(confusion),
        "macro_recall": metrics.macro_recall(confusion),
        "macro_auc": metrics.mean_defined(area),
        "auc": area,
        "precision": metrics.precision_per_class(confusion),
        "recall": metrics.recall_per_class(confusion),
        "recall_normalised": metrics.recall_normalised(confusion),
        "precision_normalised": metrics.precision_normalised(confusion),
    }


def _metrics(numbers: dict[str, Any], confusion: NDArray[np.float64], class_names: Sequence[str]) -> Metrics:
    totals = {"recall_normalised": confusion.sum(axis=1, keepdims=True)}
    totals["precision_normalised"] = confusion.sum(axis=0, keepdims=True)
    normalised = {
        key: _fractions(numbers[key], confusion, np.broadcast_to(total, confusion.shape))
        for key, total in totals.items()
    }
    per_class: dict[str, Any] = {key: dict(zip(class_names, numbers[key], strict=True)) for key in PER_CLASS}
    return Metrics(
        **{key: numbers[key] for key in OVERALL},
        **per_class,
        confusion=Confusion(counts=confusion.astype(int).tolist(), **normalised),
    )


def calibration_of(
    numbers: dict[str, Any], calibrated: NDArray[np.float64], seed: int, temperature: Temperature
) -> Calibration:
    """Put the bootstrapped numbers of a calibration together.

    Args:
        numbers: `ece_before`, `ece_after`, `nll_before` and `nll_after`; and `certainty_auc`, if measured.
        calibrated: Probabilities after the temperature (n, C).
        seed: Of the pseudo-experiments of `expected_error_if_calibrated`.
        temperature: That was used.
    """
    perfect = expected_error_if_calibrated(calibrated, seed=seed)
    return Calibration(
        ece_before=replace(numbers["ece_before"], low=None, high=None),
        ece_after=replace(numbers["ece_after"], low=None, high=None),
        nll_before=numbers["nll_before"],
        nll_after=numbers["nll_after"],
        ece_if_perfect=Number(
            value=float(perfect.mean()),
            error=float(perfect.std(ddof=1)),
            low=float(np.quantile(perfect, 0.1587)),
            high=float(np.quantile(perfect, 0.8413)),
        ),
        temperature=temperature,
        certainty_auc=numbers.get("certainty_auc"),
    )


def _fractions(estimates: Any, passed: NDArray[np.float64], total: NDArray[np.float64]) -> Any:
    """Give bootstrap estimates of passed / total, all nested alike, their Wilson interval and denominator.

    The bootstrap interval of a fraction has no width when none or all of the events pass.
    """
    if isinstance(estimates, list):
        return [_fractions(e, p, t) for e, p, t in zip(estimates, passed, total, strict=True)]
    interval = {}
    if total > 0:
        low, high = wilson_interval(passed, total)
        interval = {"low": float(low), "high": float(high)}
    return Fraction(**vars(estimates) | interval, events=int(total))
